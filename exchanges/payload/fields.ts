import * as z from 'zod';
import { MAX_TEXT, TEXT_PATTERN } from '../../core/market/ticker.ts';
import { TICKER_FIELDS, type TickerField } from '../../core/market/ticker-fields.ts';
import { LATEST_MS } from '../../core/market/time.ts';
import { show } from '../../core/text/show.ts';

/** A value, which may be absent, or why it cannot be read. */
export type Reading<T> = { value: T | undefined } | { reason: string };

/** One of our fields that needs a reader of its own. */
export interface Conversion {
  field: TickerField;
  read: (raw: unknown) => Reading<number | string>;
}

/** The exchange's field name → ours, or `timestamp`: when the values were current. Other fields are dropped. */
export type FieldNames = Readonly<Record<string, TickerField | 'timestamp' | Conversion>>;

/** How to read one field of an exchange's ticker. */
export interface FieldReader {
  theirs: string;
  field: TickerField | 'timestamp';
  read: Conversion['read'];
}

/** A field of what may be an object. */
export function fieldOf(raw: unknown, field: string | number): unknown {
  return (raw as Record<string | number, unknown> | null | undefined)?.[field];
}

const isAbsent = (raw: unknown) => raw === undefined || raw === null || raw === '';
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
/** No real value is larger. Indices of the first shape have `float` columns and refuse such a document. */
export const MAX_FLOAT = 3.4028234663852886e38;

/** Decimal text or a JSON number → the nearest double. */
export function readDecimal(raw: unknown): Reading<number> {
  if (isAbsent(raw)) return { value: undefined };
  const isDecimal = typeof raw === 'number' || (typeof raw === 'string' && DECIMAL.test(raw));
  if (!isDecimal) return { reason: `expected a decimal number, got ${show(raw)}` };
  const value = Number(raw);
  if (!Number.isFinite(value)) return { reason: `${show(raw)} is too large for a double` };
  if (value === 0 && typeof raw === 'string' && /[1-9]/.test(raw.replace(/[eE].*$/, ''))) {
    return { reason: `${show(raw)} is too small for a double` };
  }
  return { value: value === 0 ? 0 : value }; // "-0.00" is 0
}

/** A percentage → the exact fraction: `"-95.960"` is −0.9596. */
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

/** Without an offset, a time would be read in this machine's time zone. */
const isoWithOffset = z.iso.datetime({ offset: true });

/** Epoch ms (text or number) or ISO 8601 → ISO 8601 UTC with milliseconds; 0 counts as absent. */
export function readTime(raw: unknown): Reading<string> {
  if (isAbsent(raw) || raw === 0 || raw === '0') return { value: undefined };
  const text = typeof raw === 'string' || typeof raw === 'number' ? String(raw) : '';
  const isIso = isoWithOffset.safeParse(text).success;
  const ms = isIso ? Date.parse(text) : (epochMs(raw, 'ms') ?? 0);
  if (!(ms > 0 && ms <= LATEST_MS)) {
    return { reason: `expected a time in epoch ms or ISO 8601, got ${show(raw)}` };
  }
  return { value: new Date(ms).toISOString() };
}

/** A Unix time (text or number) → epoch ms; undefined if it is not one. */
export function epochMs(raw: unknown, unit: 'ms' | 's'): number | undefined {
  const isTime = (typeof raw === 'string' || typeof raw === 'number') && /^\d+$/.test(String(raw));
  return isTime ? Number(raw) * (unit === 's' ? 1_000 : 1) : undefined;
}

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

/** How exchanges write that there is no price: an empty value or 0, but not a missing field. */
export function isNoPrice(raw: unknown): boolean {
  const reading = readDecimal(raw);
  return raw !== undefined && 'value' in reading && !reading.value;
}

function readText(raw: unknown): Reading<string> {
  if (isAbsent(raw)) return { value: undefined };
  if (typeof raw !== 'string') return { reason: `expected text, got ${show(raw)}` };
  if (TEXT_PATTERN.test(raw)) return { value: raw };
  return { reason: `expected at most ${MAX_TEXT} printable characters, got ${show(raw)}` };
}

const READERS = {
  price: readPrice,
  number: readNumber,
  fraction: readNumber,
  time: readTime,
  text: readText,
} as const;

export function fieldReaders(names: FieldNames): readonly FieldReader[] {
  return Object.entries(names).map(([theirs, target]) => {
    if (typeof target === 'object') return { theirs, ...target };
    const read = target === 'timestamp' ? readTime : READERS[TICKER_FIELDS[target]];
    return { theirs, field: target, read };
  });
}
