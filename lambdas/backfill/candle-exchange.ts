import * as z from 'zod';
import { HOUR_MS, type RecordedPrices } from '../domain/candle.ts';
import type { Category } from '../domain/ticker.ts';
import { bybitV5 } from '../ingest/sources/bybit-v5.ts';
import type { Ask, ExchangeAdapter } from '../ingest/sources/exchange-adapter.ts';
import type { CandleFormat } from './candle-lake-layout.ts';

/** Which hourly candles are asked for: those that start in [fromMs, toMs), epoch ms; at most `pageHours` of them. */
export interface CandlePageRequest {
  category: Category;
  symbol: string;
  fromMs: number;
  toMs: number;
}

/** How an exchange answers with hourly candles. */
export interface CandleExchange {
  readonly format: CandleFormat;
  /** Hosts, pace and failures are those of its tickers. */
  readonly adapter: Pick<ExchangeAdapter, 'defaultBaseUrl' | 'pace' | 'failureOf'>;
  readonly categories: readonly Category[];
  /** Hours in one request, at most. */
  readonly pageHours: number;
  path(request: CandlePageRequest): string;
  /** The documented shape, read: candles in time order. */
  readonly shape: z.ZodType<RecordedPrices[]>;
}

const price = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'expected a decimal number')
  .transform(Number)
  .refine((value) => value > 0, 'expected a price above 0');
/** https://bybit-exchange.github.io/docs/v5/market/kline: [start, open, high, low, close, volume, turnover]. */
const kline = z
  .tuple([z.string().regex(/^\d+$/).transform(Number), price, price, price, price], z.string())
  .refine(([startMs]) => startMs % HOUR_MS === 0, 'starts within an hour')
  .refine(
    ([, open, high, low, close]) => low <= Math.min(open, close) && high >= Math.max(open, close),
    'expected low <= open, close <= high',
  );
const klines = z
  .object({ result: z.object({ list: z.array(kline) }) })
  .transform(({ result }) =>
    result.list
      .map(([startMs, open, high, low, close]): RecordedPrices => ({ startMs, open, high, low, close }))
      .sort((a, b) => a.startMs - b.startMs),
  );

/** Bybit's own limit for one request. */
const BYBIT_PAGE_HOURS = 1_000;

const bybit: CandleExchange = {
  format: 'bybit-v5',
  adapter: bybitV5,
  categories: ['linear', 'inverse', 'spot'],
  pageHours: BYBIT_PAGE_HOURS,
  path({ category, symbol, fromMs, toMs }) {
    const query = new URLSearchParams({
      category,
      symbol,
      interval: '60',
      start: String(fromMs),
      end: String(toMs - 1),
      limit: String(BYBIT_PAGE_HOURS),
    });
    return `/v5/market/kline?${query}`;
  },
  shape: klines,
};

/** The exchanges whose hourly candles we can fetch, by name. */
export const CANDLE_EXCHANGES: Readonly<Record<string, CandleExchange>> = { bybit };

/** What one request brought. */
export interface CandlePage {
  /** The answer's JSON, as the exchange said it. */
  raw: unknown;
  /** In time order. */
  rows: RecordedPrices[];
}

/**
 * Fetches one page of hourly candles.
 * @param ask of the exchange's client: the same URL is asked once, so that its answer can be read twice
 * @throws SourceError
 */
export async function fetchCandlePage(
  { path, shape }: CandleExchange,
  request: CandlePageRequest,
  ask: Ask,
): Promise<CandlePage> {
  const asked = { path: path(request) };
  const { value: rows } = await ask(asked, shape);
  const { value: raw } = await ask(asked, z.unknown());
  return { raw, rows: rows.filter(({ startMs }) => startMs >= request.fromMs && startMs < request.toMs) };
}
