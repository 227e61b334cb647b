import { isUtf8 } from 'node:buffer';
import type { MSKEvent, MSKRecord } from 'aws-lambda';
import {
  CATEGORIES,
  SYMBOL_PATTERN,
  TICKER_VERSION,
  type TickerIdentity,
  tickerId,
  tickerIndexOf,
} from '../domain/ticker.ts';
import type { StreamPosition, TickerDocument } from './ports.ts';

/** A record that is no ticker, and why. */
export interface PoisonRecord extends StreamPosition {
  value: string | null;
  producedAtMs: number;
  reason: string;
}

/**
 * The event's records in their order per partition: tickers to index, and those that are none.
 *
 * The value was normalised and validated when it was ingested, so its bytes are passed on as they are; what is
 * checked again is what would harm others: base64, UTF-8, JSON on one line, and the fields that make the id.
 */
export function decodeEvent(event: MSKEvent): { documents: TickerDocument[]; poison: PoisonRecord[] } {
  const documents: TickerDocument[] = [];
  const poison: PoisonRecord[] = [];
  for (const records of Object.values(event.records)) {
    for (const record of records) {
      const decoded = decodeRecord(record);
      if ('reason' in decoded) poison.push(decoded);
      else documents.push(decoded);
    }
  }
  return { documents, poison };
}

/** One record: a ticker to index, or why it is none. */
export function decodeRecord(record: MSKRecord): TickerDocument | PoisonRecord {
  const value = (record.value as string | null | undefined) ?? null;
  const poison = (reason: string): PoisonRecord => ({
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    producedAtMs: record.timestamp,
    value,
    reason,
  });
  if (value === null) return poison('the record has no value');
  const bytes = decodeBase64(value);
  if (bytes === undefined) return poison('the value is not base64');
  const text = decodeUtf8(bytes);
  if (text === undefined) return poison('the value is not UTF-8');
  let ticker: unknown;
  try {
    ticker = JSON.parse(text);
  } catch (error) {
    return poison(`the value is not JSON: ${(error as Error).message}`);
  }
  const reason = whyNoTicker(ticker);
  if (reason !== undefined) return poison(reason);
  const identity = ticker as TickerIdentity;
  return {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    producedAtMs: record.timestamp,
    value,
    id: tickerId(identity),
    index: tickerIndexOf(identity.slot),
    // A line break between tokens is valid JSON but would split the bulk request's lines.
    source: text.includes('\n') || text.includes('\r') ? JSON.stringify(ticker) : text,
  };
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

const CATEGORY_SET: ReadonlySet<unknown> = new Set(CATEGORIES);
const SLOT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The first thing that keeps a value from being a ticker of ours; undefined where there is none. */
export function whyNoTicker(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'the value is no JSON object';
  const { v, exchange, category, symbol, slot, timestamp, last_price } = value as Record<string, unknown>;
  if (v !== TICKER_VERSION) return `v: expected ${TICKER_VERSION}, got ${JSON.stringify(v)}`;
  if (typeof exchange !== 'string' || exchange === '') return 'exchange: is missing';
  if (!CATEGORY_SET.has(category)) return `category: expected one of ${CATEGORIES.join(', ')}`;
  if (typeof symbol !== 'string' || !SYMBOL_PATTERN.test(symbol)) return 'symbol: is missing or malformed';
  if (typeof slot !== 'string' || !SLOT.test(slot) || Number.isNaN(Date.parse(slot))) {
    return 'slot: expected ISO 8601 UTC with milliseconds';
  }
  if (typeof timestamp !== 'string') return 'timestamp: is missing';
  if (typeof last_price !== 'number' || !(last_price > 0)) return 'last_price: expected a number above 0';
  return undefined;
}
