import * as z from 'zod';
import { SourceUnavailableError } from '../core/ingest/source-errors.ts';
import type { CandleFormat } from '../core/lake/candle-objects.ts';
import type { RecordedPrices } from '../core/market/candle.ts';
import type { Category } from '../core/market/series.ts';
import { HOUR_MS, LATEST_MS } from '../core/market/time.ts';
import type { Ask, ExchangeAdapter, ExchangeRequest } from './exchange-adapter.ts';
import { type Pair, readDecimal } from './normalise.ts';

/** Which hourly candles are asked for: those that start in [fromMs, toMs), epoch ms; at most `pageHours` of them. */
export interface CandlePageRequest {
  category: Category;
  /** As the exchange spells it, and its tickers carry it. */
  symbol: string;
  fromMs: number;
  toMs: number;
}

/** A candle as an exchange tells it. */
export interface ExchangeCandle extends RecordedPrices {
  /** The exchange says that its hour is still running. @default closed */
  readonly isOpen?: boolean;
}

/** How an exchange answers with hourly candles. */
export interface CandleExchange {
  readonly format: CandleFormat;
  /** Hosts, pace and failures are those of its tickers. */
  readonly adapter: Pick<ExchangeAdapter, 'defaultBaseUrl' | 'pace' | 'failureOf'>;
  readonly categories: readonly Category[];
  /** Hours in one request, at most. */
  readonly pageHours: number;
  /** It gives its last so many candles only, whatever is asked for. @default all that there ever were */
  readonly keptCandles?: number;
  request(page: CandlePageRequest): ExchangeRequest;
  /** The documented shape of a symbol's answer, read: candles in time order. */
  shapeOf(symbol: string): z.ZodType<ExchangeCandle[]>;
  /** Base and quote, as its list of instruments or its spelling has them. */
  pairOf(market: Pick<CandlePageRequest, 'category' | 'symbol'>, ask: Ask): Promise<Pair>;
}

const price = z.unknown().transform((raw, context) => {
  const reading = readDecimal(raw);
  if ('value' in reading && reading.value !== undefined && reading.value > 0) return reading.value;
  context.addIssue('reason' in reading ? reading.reason : 'expected a price above 0');
  return z.NEVER;
});
const candle = z
  .object({
    startMs: z
      .number('expected a time')
      .max(LATEST_MS, 'expected a time')
      .refine((ms) => ms % HOUR_MS === 0, 'starts within an hour'),
    open: price,
    high: price,
    low: price,
    close: price,
    isOpen: z.literal(true).optional(),
  })
  .refine(({ open, high, low, close }) => low <= Math.min(open, close) && high >= Math.max(open, close), {
    error: 'expected low <= open, close <= high',
  })
  .transform(({ isOpen, ...prices }): ExchangeCandle => (isOpen ? { ...prices, isOpen } : prices));

/**
 * A list of candles, each an array: every one is checked, a single wrong one is the whole list's error.
 * @param fields names what the array holds at which place
 */
export function candleList(
  fields: (row: readonly unknown[]) => { [Field in keyof ExchangeCandle]: unknown },
): z.ZodType<ExchangeCandle[]> {
  return z
    .array(z.array(z.unknown()).transform(fields).pipe(candle))
    .transform((list) => list.sort((a, b) => a.startMs - b.startMs));
}

/** Epoch ms of a time in text or as a number; undefined where it is none. */
export function epochMs(raw: unknown, unit: 'ms' | 's'): number | undefined {
  const isTime = (typeof raw === 'string' || typeof raw === 'number') && /^\d+$/.test(String(raw));
  return isTime ? Number(raw) * (unit === 's' ? 1_000 : 1) : undefined;
}

/** What one request brought. */
export interface CandlePage {
  /** The answer's JSON, as the exchange said it. */
  raw: unknown;
  /** In time order. */
  rows: RecordedPrices[];
  pair: Pair;
  /** The exchange keeps nothing before it, although it was asked for; epoch ms. */
  keptFromMs?: number;
}

/**
 * Fetches one page of hourly candles.
 * @param ask of the exchange's client: the same URL is asked once, so that its answer can be read twice
 * @throws SourceError
 */
export async function fetchCandlePage(
  exchange: CandleExchange,
  page: CandlePageRequest,
  ask: Ask,
): Promise<CandlePage> {
  const request = exchange.request(page);
  const { value: told, url } = await ask(request, exchange.shapeOf(page.symbol));
  const { value: raw } = await ask(request, z.unknown());
  const rows = told.filter(({ startMs }) => startMs >= page.fromMs && startMs < page.toMs);
  const open = rows.find(({ isOpen }) => isOpen);
  if (open) {
    throw new SourceUnavailableError(
      `${url} says that the hour from ${new Date(open.startMs).toISOString()} is not closed yet: try again in a minute, or end before it with --to`,
      { url },
    );
  }
  const firstMs = told[0]?.startMs ?? page.fromMs;
  const isCutOff = told.length >= (exchange.keptCandles ?? Number.POSITIVE_INFINITY);
  return {
    raw,
    rows,
    pair: await exchange.pairOf(page, ask),
    ...(isCutOff && firstMs > page.fromMs ? { keptFromMs: firstMs } : {}),
  };
}
