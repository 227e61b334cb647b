import * as z from 'zod';
import { shorten, show } from '../text/show.ts';
import {
  CATEGORIES,
  type Category,
  CURRENCY_PATTERN,
  formatSeries,
  type Series,
  SYMBOL_PATTERN,
} from './series.ts';
import { TICKER_FIELDS, type TickerField, type TickerFieldKind } from './ticker-fields.ts';

/** The version of the ticker record's shape; raised by every change that readers would notice. */
export const TICKER_VERSION = 1;

type FieldValue<K extends TickerFieldKind> = K extends 'time' | 'text' ? string : number;
type TickerValues = { [F in TickerField]?: FieldValue<(typeof TICKER_FIELDS)[F]> };

/** One series in one poll. Times are ISO 8601 UTC with milliseconds. Absent values are left out, never "" or null. */
export interface Ticker extends Series, TickerValues {
  v: typeof TICKER_VERSION;
  base?: string;
  quote?: string;
  /** The scheduled time of the poll. */
  slot: string;
  /** When the values were current according to the exchange, else when we received them. */
  timestamp: string;
  /** When we received the values. */
  received_at: string;
  last_price: number;
}

const isoTime = z.iso.datetime({ precision: 3, error: 'expected ISO 8601 UTC with milliseconds' });

/** The maximum length of a text value. */
export const MAX_TEXT = 100;
/** A word to be shown as it is. */
export const TEXT_PATTERN = new RegExp(String.raw`^[^\p{C}\p{Zl}\p{Zp}]{1,${MAX_TEXT}}$`, 'u');

const kindSchemas: Record<TickerFieldKind, z.ZodType> = {
  price: z.number().positive(),
  number: z.number(),
  fraction: z.number(),
  time: isoTime,
  text: z.string().regex(TEXT_PATTERN, 'expected a word'),
};

/** The name of an exchange in series, keys and documents. */
export const EXCHANGE_PATTERN = /^[a-z0-9-]{1,40}$/;

const heading = {
  v: z.literal(TICKER_VERSION),
  exchange: z.string().regex(EXCHANGE_PATTERN),
  category: z.enum(CATEGORIES),
  symbol: z.string().regex(SYMBOL_PATTERN, 'expected a symbol'),
  base: z.string().regex(CURRENCY_PATTERN, 'expected a currency').optional(),
  quote: z.string().regex(CURRENCY_PATTERN, 'expected a currency').optional(),
  slot: isoTime,
  timestamp: isoTime,
  received_at: isoTime,
};

/** The fields of a ticker besides its values. */
export const tickerHeadingSchema = z.object(heading);

const tickerShape = {
  ...heading,
  ...Object.fromEntries(
    Object.entries(TICKER_FIELDS).map(([field, kind]) => [
      field,
      field === 'last_price' ? kindSchemas[kind] : kindSchemas[kind].optional(),
    ]),
  ),
};

/** The ticker record, strictly: an unknown field is a mistake in our own code. */
export const tickerSchema = z.strictObject(tickerShape) as unknown as z.ZodType<Ticker>;
/** A ticker from the lake or the stream, where a newer version may have written more fields. */
const storedTickerSchema = z.looseObject(tickerShape) as unknown as z.ZodType<Ticker>;

/** Whether a newer version, or somebody else's program, wrote more into a ticker than the schema knows. */
export function hasUnknownFields(ticker: Ticker): boolean {
  return Object.keys(ticker).some((field) => !Object.hasOwn(tickerShape, field));
}

/** The ticker in a JSON text, or why it is not one. Never throws, whatever the text. */
export function parseTicker(text: string): { ticker: Ticker } | { reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { reason: shorten(`not JSON: ${(error as Error).message}`) };
  }
  const { success, data, error } = storedTickerSchema.safeParse(value);
  return success ? { ticker: data } : { reason: whyInvalid(error, value) };
}

/** Which field of a value a schema of tickers does not accept, why, and what the field contains. */
export function whyInvalid({ issues }: z.ZodError, value: unknown): string {
  const { path = [], message } = issues[0] ?? {};
  const [field] = path;
  if (field === undefined) return shorten(`not a ticker: ${message}, got ${show(value)}`);
  return shorten(
    `${path.join('.')}: ${message}, got ${show((value as Record<PropertyKey, unknown>)[field])}`,
  );
}

/** Identifies a ticker: its series and its poll. */
export type TickerIdentity = Series & Pick<Ticker, 'slot'>;

/** Series and slot in epoch ms, so a poll that is retried, replayed or redelivered keeps its ids. */
export function tickerId(ticker: TickerIdentity): string {
  return tickerIdAt(ticker, Date.parse(ticker.slot));
}

/** {@link tickerId} if the slot is already parsed (epoch ms). */
export function tickerIdAt(series: Series, slotMs: number): string {
  return `${formatSeries(series)}:${slotMs}`;
}

/** A value from an exchange that is not a valid ticker, as the lake keeps it. */
export interface RejectedTicker {
  v: typeof TICKER_VERSION;
  exchange: string;
  category: Category;
  slot: string;
  received_at: string;
  url: string;
  /** Which field is wrong, and how. */
  reason: string;
  /** What the exchange sent, unchanged. */
  value: unknown;
}

/** A whole answer that could not be read, as the lake keeps it. */
export interface RejectedPayload extends Omit<RejectedTicker, 'value'> {
  /** The body if it is UTF-8; */
  body?: string;
  /** otherwise its bytes. */
  body_base64?: string;
}

export type Rejected = RejectedTicker | RejectedPayload;
