import type { CandleRow } from '../../lake/candle-rows.ts';
import type { RecordedPrices } from '../../market/candle.ts';
import type { CurrencyPair } from '../../market/series.ts';

/** One symbol's rows, in time order. */
export interface SymbolRows extends CurrencyPair {
  symbol: string;
  rows: CandleRow[];
}

/** One candle of a history. */
export interface RecordedRow extends RecordedPrices {
  readonly symbol: string;
  readonly volume: number;
}

/** Rows in one part: about 400 KB in an event, and about a second's work. */
const PART_ROWS = 6_000;

/** Cuts a history into parts, one for each event: by symbol, in time order. The same history makes the same parts. */
export function rowParts(rows: readonly RecordedRow[], partRows = PART_ROWS): SymbolRows[][] {
  const sorted = rows.toSorted((a, b) => compare(a.symbol, b.symbol) || a.startMs - b.startMs);
  const parts: SymbolRows[][] = [];
  for (let from = 0; from < sorted.length; from += partRows) {
    const part = Map.groupBy(sorted.slice(from, from + partRows), ({ symbol }) => symbol);
    parts.push([...part].map(([symbol, ofSymbol]) => ({ symbol, rows: ofSymbol.map(rowOf) })));
  }
  return parts;
}

function rowOf({ startMs, open, high, low, close, volume, turnover }: RecordedRow): CandleRow {
  const prices = [startMs, open, high, low, close] as const;
  return turnover === undefined ? [...prices, volume] : [...prices, volume, turnover];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
