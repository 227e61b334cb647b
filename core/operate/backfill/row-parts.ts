import type { CandleRow } from './recorded-candles.ts';

/** One symbol's rows, in time order. */
export interface SymbolRows {
  symbol: string;
  base?: string | undefined;
  quote?: string | undefined;
  rows: CandleRow[];
}

/** What a history's reader gives for one candle. */
export interface RecordedRow {
  readonly symbol: string;
  readonly startMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** Rows in one part: some 400 KB in an event, and about a second's work. */
const PART_ROWS = 6_000;

/** Cuts a history into parts for one event each: by symbol, in time order, the same history in the same parts. */
export function rowParts(rows: readonly RecordedRow[], partRows = PART_ROWS): SymbolRows[][] {
  const sorted = rows.toSorted((a, b) => compare(a.symbol, b.symbol) || a.startMs - b.startMs);
  const parts: SymbolRows[][] = [];
  for (let from = 0; from < sorted.length; from += partRows) {
    const part = Map.groupBy(sorted.slice(from, from + partRows), ({ symbol }) => symbol);
    parts.push([...part].map(([symbol, ofSymbol]) => ({ symbol, rows: ofSymbol.map(rowOf) })));
  }
  return parts;
}

function rowOf({ startMs, open, high, low, close, volume }: RecordedRow): CandleRow {
  return [startMs, open, high, low, close, volume];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
