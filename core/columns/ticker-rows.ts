import { readPlainTicker } from '../index/plain-ticker.ts';
import type { BatchAddress } from '../lake/ticker-objects.ts';
import { parseTicker, type TickerIdentity, tickerId } from '../market/ticker.ts';
import { columnsOf } from './tables.ts';

/** What an object of the lake contributes to a day of tickers. */
export interface TickerRows {
  /** One JSON text for each row. */
  lines: string[];
  /** Whether every line of the object is a row as it stands, so that the object can be read in place of `lines`. */
  isAsStored: boolean;
  /** Why other lines are not rows. */
  skipped: string[];
}

export interface TickerRowsOptions {
  /** Rewrites every line, for a reader that does not accept all of JSON. @default only unusual lines */
  rewrite?: boolean;
}

const COLUMNS = Object.keys(columnsOf('tickers'));

/**
 * The rows in an object's lines: the tickers that the index takes from it. It refuses the others, which are then dead
 * letters, and takes the first of those with the same id.
 */
export function tickerRows(
  address: BatchAddress,
  lines: readonly string[],
  { rewrite = false }: TickerRowsOptions = {},
): TickerRows {
  const rows: TickerRows = { lines: [], isAsStored: !rewrite, skipped: [] };
  const slot = new Date(address.slotMs).toISOString();
  const symbols = new Set<string>();
  const skip = (position: number, reason: string) => {
    rows.skipped.push(`line ${position + 1}: ${reason}`);
    rows.isAsStored = false;
  };
  for (const [position, line] of lines.entries()) {
    const read = readRow(line, rewrite);
    if ('reason' in read) {
      skip(position, read.reason);
      continue;
    }
    const { ticker, text } = read;
    const { exchange, category, symbol } = ticker;
    if (exchange !== address.exchange || category !== address.category || ticker.slot !== slot) {
      skip(position, `a ticker of another batch, ${tickerId(ticker)}`);
    } else if (symbols.has(symbol)) {
      skip(position, `${symbol} once more`);
    } else {
      symbols.add(symbol);
      rows.lines.push(text);
      rows.isAsStored &&= text === line;
    }
  }
  return rows;
}

/** A line as ingest writes it stays as it is; of any other valid one only the columns are left, each once. */
function readRow(
  line: string,
  rewrite: boolean,
): { ticker: TickerIdentity; text: string } | { reason: string } {
  const plain = rewrite ? undefined : readPlainTicker(line);
  if (plain) return { ticker: plain, text: line };
  const parsed = parseTicker(line);
  return 'reason' in parsed
    ? parsed
    : { ticker: parsed.ticker, text: JSON.stringify(parsed.ticker, COLUMNS) };
}
