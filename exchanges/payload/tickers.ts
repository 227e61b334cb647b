import type { TickerBatch } from '../../core/ingest/ports.ts';
import { AnswerTooLargeError } from '../../core/ingest/source-errors.ts';
import type { CurrencyPair } from '../../core/market/series.ts';
import {
  type RejectedTicker,
  TICKER_VERSION,
  type Ticker,
  tickerHeadingSchema,
  whyInvalid,
} from '../../core/market/ticker.ts';
import { show } from '../../core/text/show.ts';
import type { PollScope } from '../exchange.ts';
import { type FieldReader, fieldOf, MAX_FLOAT } from './fields.ts';

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

/** One ticker of a payload, not yet checked. */
export interface Entry {
  /** As the exchange spells it. */
  symbol: unknown;
  /** The object with the fields. */
  values: unknown;
  /** What to keep if the ticker is rejected. */
  raw: unknown;
  /** Overrides the shared receipt. */
  from?: Pick<Receipt, 'url' | 'receivedAt'>;
}

/** The entries of a list that name their symbol in a field. */
export function entriesOf(list: readonly unknown[], symbolField: string): Entry[] {
  return list.map((raw) => ({ symbol: fieldOf(raw, symbolField), values: raw, raw }));
}

/**
 * One raw ticker → our record, or why it is rejected. Never throws and never invents a number: absent values are left
 * out, a malformed one rejects the ticker. The 24-hour change is computed if the exchange gives only the old price.
 */
export function normaliseTicker(
  values: unknown,
  fields: readonly FieldReader[],
  { symbol, base, quote }: { symbol: unknown } & CurrencyPair,
  receipt: Pick<Receipt, 'exchange' | 'category' | 'slot' | 'receivedAt' | 'timestamp'>,
): { ticker: Ticker } | { reason: string } {
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
    else if (field === 'last_price')
      return { reason: `${theirs}: a price above 0 is required, got ${show(source[theirs])}` };
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
 * Normalises the wanted entries of a payload. Of a repeated symbol, the first is kept and the others are rejected.
 * @throws AnswerTooLargeError
 */
export function normaliseList(
  entries: readonly Entry[],
  fields: readonly FieldReader[],
  pairOf: (symbol: string) => CurrencyPair,
  receipt: Receipt,
): TickerBatch {
  const { url, maxTickers = MAX_TICKERS } = receipt;
  if (entries.length > maxTickers) {
    const size = `${entries.length} tickers, more than the source's maxTickers, ${maxTickers}; none is stored`;
    throw new AnswerTooLargeError(url, size);
  }
  const batch: TickerBatch = { tickers: [], rejected: [] };
  const seen = new Set<string>();
  for (const { symbol, values, raw, from } of entries) {
    const pair = typeof symbol === 'string' ? pairOf(symbol) : {};
    if (typeof symbol === 'string' && !receipt.wants({ symbol, quote: pair.quote })) continue;
    const received = { ...receipt, ...from };
    const outcome = normaliseTicker(values, fields, { symbol, ...pair }, received);
    if ('ticker' in outcome && !seen.has(outcome.ticker.symbol)) {
      seen.add(outcome.ticker.symbol);
      batch.tickers.push(outcome.ticker);
      continue;
    }
    const reason =
      'reason' in outcome ? outcome.reason : `symbol: ${show(symbol)} appears twice in one payload`;
    batch.rejected.push(reject(raw, reason, received));
  }
  return batch;
}

/** The record that the lake keeps of a value that is not a valid ticker. */
export function reject(value: unknown, reason: string, receipt: Receipt): RejectedTicker {
  const { exchange, category, slot, receivedAt, url } = receipt;
  return { v: TICKER_VERSION, exchange, category, slot, received_at: receivedAt, url, reason, value };
}
