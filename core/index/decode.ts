import { isUtf8 } from 'node:buffer';
import { ORIGINAL } from '../market/index-fields.ts';
import { hasUnknownFields, parseTicker, type TickerIdentity, tickerIdAt } from '../market/ticker.ts';
import { DAY_MS } from '../market/time.ts';
import { shorten } from '../text/show.ts';
import { readPlainTicker } from './plain-ticker.ts';
import type { IndexDocument } from './ports.ts';

/** Bitcoin started in 2009; an earlier slot is a mistake. */
const EARLIEST_SLOT_MS = Date.UTC(2009, 0, 1);
/** How far a poll's clock may be ahead. Without these limits, each bad slot would create another index. */
const LATEST_SLOT_AHEAD_MS = DAY_MS;

/**
 * The ticker in a record's value (base64), or why it has none. The text is passed on unchanged; if it has
 * unknown fields, it is also stored whole in `original`. Never throws, whatever the value.
 * @param nowMs epoch ms
 */
export function decodeValue(
  value: string | null | undefined,
  nowMs: number,
): IndexDocument | { reason: string } {
  if (value === null || value === undefined) return { reason: 'the record has no value' };
  const bytes = decodeBase64(value);
  if (bytes === undefined) return { reason: 'the value is not base64' };
  const text = decodeUtf8(bytes);
  return text === undefined ? { reason: 'the value is not UTF-8' } : decodeLine(text, nowMs);
}

/** The ticker in a JSON text, or why it is not one that can be indexed. Never throws, whatever the text. */
export function decodeLine(text: string, nowMs: number): IndexDocument | { reason: string } {
  try {
    return tickerIn(text, nowMs);
  } catch (error) {
    // We know of no text that throws here, but one that did would block its partition for good.
    return { reason: shorten(`cannot be read: ${(error as Error).message}`) };
  }
}

function tickerIn(text: string, nowMs: number): IndexDocument | { reason: string } {
  const plain = readPlainTicker(text);
  if (plain) return documentOf(plain, text, nowMs);
  const parsed = parseTicker(text);
  if ('reason' in parsed) return parsed;
  // Valid JSON has line breaks only between tokens, where they would split the lines of the bulk request.
  const source = text.replace(/[\n\r]/g, ' ');
  return documentOf(parsed.ticker, hasUnknownFields(parsed.ticker) ? withOriginal(source) : source, nowMs);
}

/** The unknown fields stay where they are, too, so that OpenSearch still refuses what it cannot take. */
function withOriginal(source: string): string {
  return `${source.slice(0, source.lastIndexOf('}'))},"${ORIGINAL}":${JSON.stringify(source)}}`;
}

function documentOf(
  ticker: TickerIdentity,
  source: string,
  nowMs: number,
): IndexDocument | { reason: string } {
  const { slot } = ticker;
  const ms = slotMs(slot);
  if (ms >= EARLIEST_SLOT_MS && ms <= nowMs + LATEST_SLOT_AHEAD_MS) {
    return { id: tickerIdAt(ticker, ms), slot, source };
  }
  const [earliest, latest] = [EARLIEST_SLOT_MS, nowMs + LATEST_SLOT_AHEAD_MS].map((bound) =>
    new Date(bound).toISOString(),
  );
  return { reason: `slot: expected a time from ${earliest} to ${latest}, got ${slot}` };
}

/** The latest slot and its time: a batch has many tickers of few slots. */
let latest = { slot: '', ms: Number.NaN };

function slotMs(slot: string): number {
  if (slot !== latest.slot) latest = { slot, ms: Date.parse(slot) };
  return latest.ms;
}

/** One character for each byte, which is several times as fast as a Buffer. */
function decodeBase64(value: string): string | undefined {
  try {
    const bytes = atob(value);
    const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0;
    // atob ignores white space, which Lambda never writes.
    return bytes.length === Math.floor(((value.length - padding) * 3) / 4) ? bytes : undefined;
  } catch {
    return undefined;
  }
}

const BEYOND_ASCII = /[\x80-\xff]/;

/** Decodes UTF-8 given as one character for each byte. Nearly all tickers are ASCII, which is its own text. */
function decodeUtf8(bytes: string): string | undefined {
  if (!BEYOND_ASCII.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  return isUtf8(buffer) ? buffer.toString('utf8') : undefined;
}
