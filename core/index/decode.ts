import { isUtf8 } from 'node:buffer';
import { tickerIndexOf } from '../market/index-names.ts';
import { CATEGORIES, SYMBOL_PATTERN } from '../market/series.ts';
import { TICKER_VERSION, type TickerIdentity, tickerIdAt } from '../market/ticker.ts';
import type { IndexDocument } from './ports.ts';

/** Why a value is no ticker. */
export interface NoTicker {
  reason: string;
}

/**
 * The ticker that a record's value (base64) holds, or why it holds none.
 *
 * It was normalised and validated when it was ingested, so its text is passed on as it is; what is checked again is
 * what would harm others: base64, UTF-8, JSON on one line, and the fields that make the id.
 */
export function decodeValue(value: string | null | undefined): IndexDocument | NoTicker {
  if (value === null || value === undefined) return { reason: 'the record has no value' };
  const bytes = decodeBase64(value);
  if (bytes === undefined) return { reason: 'the value is not base64' };
  const plain = readPlainTicker(bytes);
  if (plain) return documentOf(plain, bytes);
  const text = decodeUtf8(bytes);
  return text === undefined ? { reason: 'the value is not UTF-8' } : decodeText(text);
}

/** The ticker in a line of JSON, or why there is none. */
export function decodeLine(line: string): IndexDocument | NoTicker {
  const plain = readPlainTicker(line);
  return plain ? documentOf(plain, line) : decodeText(line);
}

function decodeText(text: string): IndexDocument | NoTicker {
  let ticker: unknown;
  try {
    ticker = JSON.parse(text);
  } catch (error) {
    return { reason: `the value is not JSON: ${(error as Error).message}` };
  }
  const reason = whyNoTicker(ticker);
  if (reason !== undefined) return { reason };
  // A line break between tokens is valid JSON but would split the bulk request's lines.
  const source = text.includes('\n') || text.includes('\r') ? JSON.stringify(ticker) : text;
  return documentOf(ticker as TickerIdentity, source);
}

function documentOf(ticker: TickerIdentity, source: string): IndexDocument {
  return { id: tickerIdAt(ticker, slotMs(ticker.slot)), index: tickerIndexOf(ticker.slot), source };
}

/** The last slot that was read. A batch holds few of them, and many tickers of each. */
let known = { slot: '', ms: Number.NaN };

function slotMs(slot: string): number {
  if (slot !== known.slot) known = { slot, ms: Date.parse(slot) };
  return known.ms;
}

/** A character for each byte; several times as fast as a Buffer. */
function decodeBase64(value: string): string | undefined {
  try {
    const bytes = atob(value);
    const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0;
    // atob passes over white space, which no Kafka record holds.
    return bytes.length === Math.floor(((value.length - padding) * 3) / 4) ? bytes : undefined;
  } catch {
    return undefined;
  }
}

const BEYOND_ASCII = /[\x80-\xff]/;

/** The text of UTF-8 bytes, given as a character for each; nearly all tickers are ASCII and are their own text. */
function decodeUtf8(bytes: string): string | undefined {
  if (!BEYOND_ASCII.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  return isUtf8(buffer) ? buffer.toString('utf8') : undefined;
}

const SLOT = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
/** Text in quotes that needs no escape, of ASCII alone. */
const PLAIN_TEXT = String.raw`"[ !#-\[\]-~]*"`;
/** A number as JSON writes it. */
const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`;

/**
 * A ticker as ingest writes it: one object without white space, its fields plain texts and numbers, in the order of
 * the record's schema. What matches is JSON on one line, by the grammar of JSON itself; so it need not be parsed to
 * know that, which takes three times as long. What does not match is parsed.
 */
const PLAIN_TICKER = new RegExp(
  [
    String.raw`^\{"v":${TICKER_VERSION}`,
    String.raw`,"exchange":"([!#-\[\]-~]+)"`,
    `,"category":"(${CATEGORIES.join('|')})"`,
    String.raw`,"symbol":"([!#-\[\]-~]{1,100})"`,
    `(?:,"base":${PLAIN_TEXT})?(?:,"quote":${PLAIN_TEXT})?`,
    `,"slot":"(${SLOT})","timestamp":${PLAIN_TEXT},"received_at":${PLAIN_TEXT}`,
    `,"last_price":(${NUMBER})`,
    String.raw`(?:,"[a-z0-9_]+":(?:${NUMBER}|${PLAIN_TEXT}))*\}$`,
  ].join(''),
);

/** What identifies a ticker that is written as ingest writes it; undefined for any other text. */
function readPlainTicker(text: string): TickerIdentity | undefined {
  const match = PLAIN_TICKER.exec(text);
  if (!match) return undefined;
  const [, exchange, category, symbol, slot, lastPrice] = match;
  if (!(Number(lastPrice) > 0) || Number.isNaN(slotMs(slot as string))) return undefined;
  return { exchange, category, symbol, slot } as TickerIdentity;
}

const CATEGORY_SET: ReadonlySet<unknown> = new Set(CATEGORIES);
const WHOLE_SLOT = new RegExp(`^${SLOT}$`);

/** The first thing that keeps a value from being a ticker of ours; undefined where there is none. */
export function whyNoTicker(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'the value is no JSON object';
  const { v, exchange, category, symbol, slot, timestamp, last_price } = value as Record<string, unknown>;
  if (v !== TICKER_VERSION) return `v: expected ${TICKER_VERSION}, got ${JSON.stringify(v)}`;
  if (typeof exchange !== 'string' || exchange === '') return 'exchange: is missing';
  if (!CATEGORY_SET.has(category)) return `category: expected one of ${CATEGORIES.join(', ')}`;
  if (typeof symbol !== 'string' || !SYMBOL_PATTERN.test(symbol)) return 'symbol: is missing or malformed';
  if (typeof slot !== 'string' || !WHOLE_SLOT.test(slot) || Number.isNaN(slotMs(slot))) {
    return 'slot: expected ISO 8601 UTC with milliseconds';
  }
  if (typeof timestamp !== 'string') return 'timestamp: is missing';
  if (typeof last_price !== 'number' || !(last_price > 0)) return 'last_price: expected a number above 0';
  return undefined;
}
