import * as z from 'zod';
import { type RejectedTicker, TICKER_VERSION, type Ticker, tickerSchema } from '../../domain/ticker.ts';
import { TICKER_FIELDS, type TickerField } from '../../domain/ticker-fields.ts';

/** An exchange's field name → ours. Fields that are not listed are not ours to keep. */
export type FieldMap = Readonly<Record<string, TickerField>>;

/** What one payload's tickers have in common. */
export interface Receipt {
  exchange: string;
  url: string;
  /** ISO 8601 UTC with milliseconds, like every time here. */
  slot: string;
  receivedAt: string;
  /** When the exchange says the values held; undefined where it does not say. */
  timestamp: string | undefined;
}

/** One category of one payload, sorted into what is good and what is not. */
export interface NormalisedBatch {
  tickers: Ticker[];
  rejected: RejectedTicker[];
}

type Reading<T> = { value: T | undefined } | { reason: string };

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

/** The latest time that ISO 8601 writes with a four-digit year. */
export const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

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

function readPrice(raw: unknown): Reading<number> {
  const reading = readDecimal(raw);
  if ('reason' in reading || reading.value === undefined) return reading;
  if (reading.value < 0) return { reason: `a price cannot be negative, got ${show(raw)}` };
  return { value: reading.value === 0 ? undefined : reading.value };
}

function readText(raw: unknown): Reading<string> {
  if (raw === undefined || raw === null || raw === '') return { value: undefined };
  return typeof raw === 'string' ? { value: raw } : { reason: `expected text, got ${show(raw)}` };
}

const READERS = { price: readPrice, number: readDecimal, time: readTime, text: readText } as const;

/**
 * One raw ticker → our record, or the reason why it is none. Never throws, never invents a number: what is
 * absent is left out, what is malformed rejects the ticker with the field's name.
 */
export function normaliseTicker(
  raw: unknown,
  fields: FieldMap,
  identity: Pick<Ticker, 'exchange' | 'category'> & { base?: string; quote?: string },
  receipt: Receipt,
): { ticker: Ticker } | { reason: string } {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return { reason: `expected an object, got ${show(raw)}` };
  }
  const source = raw as Record<string, unknown>;
  if (typeof source.symbol !== 'string')
    return { reason: `symbol: expected text, got ${show(source.symbol)}` };
  const ticker: Record<string, unknown> = {
    v: TICKER_VERSION,
    exchange: identity.exchange,
    category: identity.category,
    symbol: source.symbol,
    ...(identity.base === undefined ? {} : { base: identity.base }),
    ...(identity.quote === undefined ? {} : { quote: identity.quote }),
    slot: receipt.slot,
    timestamp: receipt.timestamp ?? receipt.receivedAt,
    received_at: receipt.receivedAt,
  };
  for (const [theirs, ours] of Object.entries(fields)) {
    const reading = READERS[TICKER_FIELDS[ours]](source[theirs]);
    if ('reason' in reading) return { reason: `${theirs}: ${reading.reason}` };
    if (reading.value !== undefined) ticker[ours] = reading.value;
    else if (ours === 'last_price')
      return { reason: `${theirs}: a price above 0 is required, got ${show(source[theirs])}` };
  }
  const checked = tickerSchema.safeParse(ticker);
  if (checked.success) return { ticker: checked.data };
  const issue = checked.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  return { reason: `${field}: ${issue?.message}, got ${show(ticker[field])}` };
}

/** Normalises a payload's list; of a symbol that appears twice the first goes on, the others are rejected. */
export function normaliseList(
  list: readonly unknown[],
  fields: FieldMap,
  identify: (symbol: string) => Pick<Ticker, 'exchange' | 'category'> & { base?: string; quote?: string },
  receipt: Receipt,
): NormalisedBatch {
  const batch: NormalisedBatch = { tickers: [], rejected: [] };
  const seen = new Set<string>();
  for (const raw of list) {
    const symbol = (raw as { symbol?: unknown } | null)?.symbol;
    const identity = identify(typeof symbol === 'string' ? symbol : '');
    const outcome = normaliseTicker(raw, fields, identity, receipt);
    if ('ticker' in outcome && !seen.has(outcome.ticker.symbol)) {
      seen.add(outcome.ticker.symbol);
      batch.tickers.push(outcome.ticker);
      continue;
    }
    batch.rejected.push({
      v: TICKER_VERSION,
      exchange: identity.exchange,
      category: identity.category,
      slot: receipt.slot,
      received_at: receipt.receivedAt,
      url: receipt.url,
      reason: 'reason' in outcome ? outcome.reason : `symbol: ${show(symbol)} appears twice in one payload`,
      value: raw,
    });
  }
  return batch;
}

/** A value in an error message: JSON, cut to a readable length. */
function show(value: unknown): string {
  // JSON has no word for the Infinity that a number like 1e999 is read as.
  const text =
    value === undefined ? 'nothing' : typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
