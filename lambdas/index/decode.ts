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
  const { topic, partition, offset, timestamp: producedAtMs } = record;
  const value = (record.value as string | null | undefined) ?? null;
  const position = { topic, partition, offset, producedAtMs };
  if (value === null) return { ...position, value, reason: 'the record has no value' };
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== base64Length(value)) return { ...position, value, reason: 'the value is not base64' };
  if (!isUtf8(bytes)) return { ...position, value, reason: 'the value is not UTF-8' };
  const text = bytes.toString('utf8');
  let ticker: unknown;
  try {
    ticker = JSON.parse(text);
  } catch (error) {
    return { ...position, value, reason: `the value is not JSON: ${(error as Error).message}` };
  }
  const reason = whyNoTicker(ticker);
  if (reason !== undefined) return { ...position, value, reason };
  const identity = ticker as TickerIdentity;
  return {
    ...position,
    value,
    id: tickerId(identity),
    index: tickerIndexOf(identity.slot),
    // A line break between tokens is valid JSON but would split the bulk request's lines.
    source: /[\n\r]/.test(text) ? JSON.stringify(ticker) : text,
  };
}

/** How many bytes base64 text stands for; Node's decoder skips what is not base64 instead of failing. */
function base64Length(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return Math.floor(((text.length - padding) * 3) / 4);
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
