import type { AbsentMarket, TickerBatch } from '../../core/ingest/ports.ts';
import { AnswerTooLargeError } from '../../core/ingest/source-errors.ts';
import type { CurrencyPair } from '../../core/market/series.ts';
import {
  type RejectedTicker,
  TICKER_VERSION,
  type Ticker,
  tickerHeadingSchema,
  whyInvalid,
} from '../../core/market/ticker.ts';
import { DAY_MS } from '../../core/market/time.ts';
import { show } from '../../core/text/show.ts';
import type { PollScope } from '../exchange.ts';
import { type FieldReader, fieldOf, isNoPrice, MAX_FLOAT } from './fields.ts';
import type { Markets } from './instruments.ts';

/** Ten times what the largest exchange lists, of options and all. */
export const MAX_TICKERS = 20_000;

/** What the tickers of one payload share. */
export interface Receipt extends Omit<PollScope, 'categories'> {
  url: string;
  /** ISO 8601 UTC with milliseconds, like every time here. */
  receivedAt: string;
  /** When the values were current, if the exchange gives one time for all of them. */
  timestamp?: string | undefined;
}

type Absence = Omit<AbsentMarket, 'symbol'>;

/** One ticker of a payload, not yet checked. */
export interface Entry {
  /** As the exchange spells it. */
  symbol: unknown;
  /** The object with the fields. */
  values: unknown;
  /** What to keep if the ticker is rejected. */
  raw: unknown;
  /** Why the exchange's own answer says that the market is not live. @default it does not */
  absence?: Absence;
  /** Overrides the shared receipt. */
  from?: Pick<Receipt, 'url' | 'receivedAt' | 'timestamp'>;
}

/** The entries of a list that name their symbol in a field. */
export function entriesOf(list: readonly unknown[], symbolField: string): Entry[] {
  return list.map((raw) => ({ symbol: fieldOf(raw, symbolField), values: raw, raw }));
}

const NEVER_TRADED: Absence = { kind: 'untraded', reason: 'it has no price yet' };

/** An active market's ticker changes within a day, even if only its bid does. */
const STALE_MS = DAY_MS;

/**
 * One raw ticker → our record, why it is rejected, or why its market is not live. Never throws and never invents a number:
 * absent values are left out, a malformed one rejects the ticker, and a market whose last price is empty or 0 was never
 * traded. The 24-hour change is computed if the exchange gives only the old price.
 */
export function normaliseTicker(
  values: unknown,
  fields: readonly FieldReader[],
  { symbol, base, quote }: { symbol: unknown } & CurrencyPair,
  receipt: Pick<Receipt, 'exchange' | 'category' | 'slot' | 'receivedAt' | 'timestamp'>,
): { ticker: Ticker } | { absence: Absence } | { reason: string } {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    return { reason: `expected an object, got ${show(values)}` };
  }
  if (typeof symbol !== 'string') return { reason: `symbol: expected text, got ${show(symbol)}` };
  const source = values as Record<string, unknown>;
  const ticker: Record<string, unknown> = {
    v: TICKER_VERSION,
    exchange: receipt.exchange,
    category: receipt.category,
    symbol,
    ...(base === undefined ? {} : { base }),
    ...(quote === undefined ? {} : { quote }),
    slot: receipt.slot,
    timestamp: receipt.timestamp ?? receipt.receivedAt,
    received_at: receipt.receivedAt,
  };
  for (const { theirs, field, read } of fields) {
    const reading = read(source[theirs]);
    if ('reason' in reading) return { reason: `${theirs}: ${reading.reason}` };
    if (reading.value !== undefined) ticker[field] = reading.value;
    else if (field === 'last_price') {
      if (isNoPrice(source[theirs])) return { absence: NEVER_TRADED };
      return { reason: `${theirs}: a price above 0 is required, got ${show(source[theirs])}` };
    }
  }
  ticker.price_24h_pcnt ??= changeSince(ticker.prev_price_24h, ticker.last_price);
  if (ticker.price_24h_pcnt === undefined) delete ticker.price_24h_pcnt;
  // The readers have already checked the values.
  const { success, error } = tickerHeadingSchema.safeParse(ticker);
  return success ? { ticker: ticker as unknown as Ticker } : { reason: whyInvalid(error, ticker) };
}

function changeSince(before: unknown, now: unknown): number | undefined {
  if (typeof before !== 'number' || typeof now !== 'number') return undefined;
  const change = now / before - 1;
  return change <= MAX_FLOAT ? change : undefined;
}

/**
 * Normalises the wanted entries of a payload. Of a repeated symbol, the first is kept and the others are rejected. Markets
 * that are not live come separately.
 * @throws AnswerTooLargeError
 */
export function normaliseList(
  entries: readonly Entry[],
  fields: readonly FieldReader[],
  markets: Markets,
  receipt: Receipt,
): TickerBatch {
  const { url, maxTickers = MAX_TICKERS } = receipt;
  if (entries.length > maxTickers) {
    const size = `${entries.length} tickers, more than the source's maxTickers, ${maxTickers}; none is stored`;
    throw new AnswerTooLargeError(url, size);
  }
  const tickers = new Map<string, Ticker>();
  const rejected: RejectedTicker[] = [];
  const absent: AbsentMarket[] = [];
  const newestMs = newestOf(entries, fields);
  const slotMs = Date.parse(receipt.slot);
  const staleMs = Math.min(newestMs, slotMs) - STALE_MS;
  const standsStill = Number.isFinite(newestMs) && newestMs < slotMs - STALE_MS;
  const warning =
    markets.warning ??
    (standsStill ? `even the newest price is from ${new Date(newestMs).toISOString()}` : undefined);
  for (const { symbol, values, raw, from, absence: reported } of entries) {
    const pair = typeof symbol === 'string' ? markets.pairOf(symbol) : {};
    if (typeof symbol === 'string' && !receipt.wants({ symbol, quote: pair.quote })) continue;
    const absence = reported ?? (typeof symbol === 'string' ? markets.absence?.(symbol) : undefined);
    const received = { ...receipt, ...from };
    const outcome = absence ? { absence } : normaliseTicker(values, fields, { symbol, ...pair }, received);
    if ('reason' in outcome) rejected.push(reject(raw, outcome.reason, received));
    else if ('absence' in outcome) absent.push({ symbol: String(symbol), ...outcome.absence });
    else if (tickers.has(outcome.ticker.symbol)) {
      rejected.push(reject(raw, `symbol: ${show(symbol)} appears twice in one payload`, received));
    } else if (Date.parse(outcome.ticker.timestamp) < staleMs) {
      const reason = `its price is from ${outcome.ticker.timestamp}`;
      absent.push({ symbol: outcome.ticker.symbol, kind: 'stale', reason });
    } else tickers.set(outcome.ticker.symbol, outcome.ticker);
  }
  return {
    tickers: [...tickers.values()],
    rejected,
    ...(absent.length > 0 ? { absent } : {}),
    ...(warning === undefined ? {} : { warning }),
  };
}

/**
 * The newest time (epoch ms) of the tickers, to compare the others with: if the whole list stands still, that
 * is an outage, not the end of every market. −∞ if they have no times of their own.
 */
function newestOf(entries: readonly Entry[], fields: readonly FieldReader[]): number {
  const time = fields.find(({ field }) => field === 'timestamp');
  const timesMs = entries.flatMap(({ values }) => {
    const reading = time?.read(fieldOf(values, time.theirs));
    return reading && 'value' in reading && reading.value !== undefined
      ? [Date.parse(`${reading.value}`)]
      : [];
  });
  return timesMs.reduce((newest, ms) => Math.max(newest, ms), Number.NEGATIVE_INFINITY);
}

/** The record that the lake keeps of a value that is not a valid ticker. */
export function reject(value: unknown, reason: string, receipt: Receipt): RejectedTicker {
  const { exchange, category, slot, receivedAt, url } = receipt;
  return { v: TICKER_VERSION, exchange, category, slot, received_at: receivedAt, url, reason, value };
}
