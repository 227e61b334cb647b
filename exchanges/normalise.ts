import * as z from 'zod';
import type { TickerBatch } from '../core/ingest/ports.ts';
import type { Category } from '../core/market/series.ts';
import {
  MAX_TEXT,
  type RejectedTicker,
  TICKER_VERSION,
  type Ticker,
  tickerHeadingSchema,
} from '../core/market/ticker.ts';
import { TICKER_FIELDS, type TickerField } from '../core/market/ticker-fields.ts';
import { LATEST_MS } from '../core/market/time.ts';
import type { MarketFilter } from './market-filter.ts';

/** A field of ours and how to read it where its kind alone does not tell. */
export interface Conversion {
  field: TickerField;
  read: (raw: unknown) => Reading<number | string>;
}

/**
 * An exchange's field name → ours, or `timestamp`: when the exchange says that this ticker's values held. Fields
 * that are not listed are not ours to keep.
 */
export type FieldMap = Readonly<Record<string, TickerField | 'timestamp' | Conversion>>;

/** What one payload's tickers have in common. */
export interface Receipt {
  exchange: string;
  category: Category;
  url: string;
  /** ISO 8601 UTC with milliseconds, like every time here. */
  slot: string;
  receivedAt: string;
  /** When the exchange says the values held, for all of them; undefined where it does not say. */
  timestamp?: string | undefined;
  wants: MarketFilter;
}

/** One ticker as an exchange sent it, before anybody looked into it. */
export interface Entry {
  /** As the exchange spells it. */
  symbol: unknown;
  /** What the fields are read from. */
  values: unknown;
  /** What is kept where it is rejected. */
  raw: unknown;
  /** Where and when it came from, where that is not what the others have in common. */
  from?: Pick<Receipt, 'url' | 'receivedAt'>;
}

/** A list whose entries name their symbol in a field. */
export function entriesOf(list: readonly unknown[], symbolField: string): Entry[] {
  return list.map((raw) => ({ symbol: fieldOf(raw, symbolField), values: raw, raw }));
}

/** A field of what may be an object; undefined where it is none. */
export function fieldOf(raw: unknown, field: string | number): unknown {
  return (raw as Record<string | number, unknown> | null | undefined)?.[field];
}

/** Base and quote, where they are known. */
export interface Pair {
  base?: string | undefined;
  quote?: string | undefined;
}

export type Reading<T> = { value: T | undefined } | { reason: string };

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/** A decimal in text or a JSON number → the nearest double; absent ("" or null) → undefined. */
export function readDecimal(raw: unknown): Reading<number> {
  if (raw === undefined || raw === null || raw === '') return { value: undefined };
  const isDecimal = typeof raw === 'number' || (typeof raw === 'string' && DECIMAL.test(raw));
  if (!isDecimal) return { reason: `expected a decimal number, got ${show(raw)}` };
  const value = Number(raw);
  if (!Number.isFinite(value)) return { reason: `${show(raw)} is too large for a double` };
  if (value === 0 && typeof raw === 'string' && /[1-9]/.test(raw.replace(/[eE].*$/, ''))) {
    return { reason: `${show(raw)} is too small for a double` };
  }
  return { value: value === 0 ? 0 : value }; // "-0.00" is 0
}

/** A percentage → the fraction, exactly: `"-95.960"` is −0.9596. For a {@link FieldMap}. */
export function percent(field: TickerField): Conversion {
  return {
    field,
    read(raw) {
      const reading = readDecimal(raw);
      if ('reason' in reading || reading.value === undefined) return reading;
      const [mantissa, exponent = '0'] = String(raw).toLowerCase().split('e');
      return readNumber(`${mantissa}e${Number(exponent) - 2}`);
    },
  };
}

/** Without an offset it would be read in the zone of whatever machine this runs on. */
const isoWithOffset = z.iso.datetime({ offset: true });

/** Epoch ms (text or number) or ISO 8601 → ISO 8601 UTC with milliseconds; "", null and 0 → undefined. */
export function readTime(raw: unknown): Reading<string> {
  if (raw === undefined || raw === null || raw === '' || raw === 0 || raw === '0') {
    return { value: undefined };
  }
  const text = typeof raw === 'string' || typeof raw === 'number' ? String(raw) : '';
  const ms = /^\d+$/.test(text)
    ? Number(text)
    : isoWithOffset.safeParse(text).success
      ? Date.parse(text)
      : Number.NaN;
  if (!(ms > 0 && ms <= LATEST_MS)) {
    return { reason: `expected a time in epoch ms or ISO 8601, got ${show(raw)}` };
  }
  return { value: new Date(ms).toISOString() };
}

/** The largest number that the index keeps in a `float`; it refuses a document with a larger one. */
const MAX_FLOAT = 3.4028234663852886e38;

function readNumber(raw: unknown): Reading<number> {
  const reading = readDecimal(raw);
  if ('reason' in reading || Math.abs(reading.value ?? 0) <= MAX_FLOAT) return reading;
  return { reason: `${show(raw)} is too large for a float` };
}

function readPrice(raw: unknown): Reading<number> {
  const reading = readDecimal(raw);
  if ('reason' in reading || reading.value === undefined) return reading;
  if (reading.value < 0) return { reason: `a price cannot be negative, got ${show(raw)}` };
  return { value: reading.value === 0 ? undefined : reading.value };
}

function readText(raw: unknown): Reading<string> {
  if (raw === undefined || raw === null || raw === '') return { value: undefined };
  if (typeof raw !== 'string') return { reason: `expected text, got ${show(raw)}` };
  if (raw.length <= MAX_TEXT) return { value: raw };
  return { reason: `expected text of ${MAX_TEXT} characters at most, got ${show(raw)}` };
}

const READERS = { price: readPrice, number: readNumber, time: readTime, text: readText } as const;

/**
 * One raw ticker → our record, or the reason why it is none. Never throws, never invents a number: what is
 * absent is left out, what is malformed rejects the ticker with the field's name. Where the exchange gives the
 * price of 24 hours ago but no change since, the change is computed.
 */
export function normaliseTicker(
  values: unknown,
  fields: FieldMap,
  market: { symbol: unknown } & Pair,
  receipt: Omit<Receipt, 'wants' | 'url'>,
): { ticker: Ticker } | { reason: string } {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    return { reason: `expected an object, got ${show(values)}` };
  }
  const { symbol, base, quote } = market;
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
  for (const { theirs, field, read } of readersOf(fields)) {
    const reading = read(source[theirs]);
    if ('reason' in reading) return { reason: `${theirs}: ${reading.reason}` };
    if (reading.value !== undefined) ticker[field] = reading.value;
    else if (field === 'last_price')
      return { reason: `${theirs}: a price above 0 is required, got ${show(source[theirs])}` };
  }
  ticker.price_24h_pcnt ??= changeSince(ticker.prev_price_24h, ticker.last_price);
  if (ticker.price_24h_pcnt === undefined) delete ticker.price_24h_pcnt;
  // The readers have made sure of each value.
  const checked = tickerHeadingSchema.safeParse(ticker);
  if (checked.success) return { ticker: ticker as unknown as Ticker };
  const issue = checked.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  return { reason: `${field}: ${issue?.message}, got ${show(ticker[field])}` };
}

interface FieldReader {
  theirs: string;
  field: TickerField | 'timestamp';
  read: Conversion['read'];
}

/** Made once for each map: a poll has thousands of tickers. */
const madeReaders = new WeakMap<FieldMap, FieldReader[]>();

function readersOf(fields: FieldMap): FieldReader[] {
  const made = madeReaders.get(fields) ?? Object.entries(fields).map(readerOf);
  madeReaders.set(fields, made);
  return made;
}

function readerOf([theirs, target]: [string, FieldMap[string]]): FieldReader {
  if (typeof target === 'object') return { theirs, ...target };
  return { theirs, field: target, read: target === 'timestamp' ? readTime : READERS[TICKER_FIELDS[target]] };
}

function changeSince(before: unknown, now: unknown): number | undefined {
  if (typeof before !== 'number' || typeof now !== 'number') return undefined;
  const change = now / before - 1;
  return change <= MAX_FLOAT ? change : undefined;
}

/**
 * Normalises those of a payload's entries that the source wants; of a symbol that appears twice the first goes on,
 * the others are rejected.
 * @param pairOf base and quote of a symbol
 */
export function normaliseList(
  entries: readonly Entry[],
  fields: FieldMap,
  pairOf: (symbol: string) => Pair,
  receipt: Receipt,
): TickerBatch {
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

/** What goes to the lake for a value that is no ticker. */
export function reject(value: unknown, reason: string, receipt: Receipt): RejectedTicker {
  const { exchange, category, slot, receivedAt, url } = receipt;
  return { v: TICKER_VERSION, exchange, category, slot, received_at: receivedAt, url, reason, value };
}

/** A value in an error message: JSON, cut to a readable length. */
function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : jsonOf(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function jsonOf(value: unknown): string {
  // JSON has no word for the Infinity that a number like 1e999 is read as.
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return 'a value nested too deep to be written'; // deeper than the stack; it can be read all the same
  }
}
