import type { CandleRow } from '../../lake/candle-rows.ts';
import type { RecordedPrices } from '../../market/candle.ts';
import type { CandleHours } from '../../market/price-path.ts';
import type { CurrencyPair } from '../../market/series.ts';

/** One symbol's rows, in time order. */
export interface SymbolRows extends CurrencyPair {
  symbol: string;
  rows: CandleRow[];
}

/** One candle of a history. */
export interface RecordedRow extends RecordedPrices, CurrencyPair {
  readonly symbol: string;
  readonly hours: CandleHours;
}

/** Candles for one event. */
export interface RowPart {
  hours: CandleHours;
  series: SymbolRows[];
}

/** Rows in one part: about 400 KB in an event, and about a second's work. */
const PART_ROWS = 6_000;
/** Points of their paths, which make rows longer: an event may be 6 MB. */
const PART_POINTS = 30_000;

/** Cuts candles, sorted by symbol and time, into parts, one for each event. The same history makes the same parts. */
export async function* rowParts(
  candles: AsyncIterable<RecordedRow> | Iterable<RecordedRow>,
  partRows = PART_ROWS,
): AsyncGenerator<RowPart> {
  let part: RowPart | undefined;
  let [rows, points] = [0, 0];
  for await (const candle of candles) {
    const { symbol, hours, base, quote, path } = candle;
    if (part && (part.hours !== hours || rows >= partRows || points >= PART_POINTS)) {
      yield part;
      part = undefined;
    }
    if (!part) {
      part = { hours, series: [] };
      [rows, points] = [0, 0];
    }
    let series = part.series.at(-1);
    if (series?.symbol !== symbol) {
      series = { symbol, ...(base && quote ? { base, quote } : {}), rows: [] };
      part.series.push(series);
    }
    series.rows.push(rowOf(candle));
    rows += 1;
    points += path?.length ?? 0;
  }
  if (part) yield part;
}

function rowOf({ startMs, open, high, low, close, volume, turnover, path }: RecordedRow): CandleRow {
  const row: CandleRow = [startMs, open, high, low, close, volume ?? null];
  if (path) return [startMs, open, high, low, close, volume ?? null, turnover ?? null, path];
  return turnover === undefined ? row : [startMs, open, high, low, close, volume ?? null, turnover];
}
