import { isUtf8 } from 'node:buffer';
import { parseTicker, type TickerIdentity, tickerIdAt } from '../market/ticker.ts';
import { readPlainTicker } from './plain-ticker.ts';
import type { IndexDocument } from './ports.ts';

/** The ticker in a record's value (base64), or why it has none. Its text is passed on unchanged. */
export function decodeValue(value: string | null | undefined): IndexDocument | { reason: string } {
  if (value === null || value === undefined) return { reason: 'the record has no value' };
  const bytes = decodeBase64(value);
  if (bytes === undefined) return { reason: 'the value is not base64' };
  const text = decodeUtf8(bytes);
  return text === undefined ? { reason: 'the value is not UTF-8' } : decodeLine(text);
}

/** The ticker in a JSON text, or why it is not one. */
export function decodeLine(text: string): IndexDocument | { reason: string } {
  const plain = readPlainTicker(text);
  if (plain) return documentOf(plain, text);
  const parsed = parseTicker(text);
  if ('reason' in parsed) return parsed;
  // A line break between tokens is valid JSON but would split the lines of the bulk request.
  return documentOf(parsed.ticker, /[\n\r]/.test(text) ? JSON.stringify(parsed.ticker) : text);
}

function documentOf(ticker: TickerIdentity, source: string): IndexDocument {
  return { id: tickerIdAt(ticker, slotMs(ticker.slot)), slot: ticker.slot, source };
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
