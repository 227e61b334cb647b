import type { RecordedPrices } from '../../core/market/candle.ts';
import type { CandleHours } from '../../core/market/price-path.ts';
import { DAY_MS, HOUR_MS } from '../../core/market/time.ts';
import { HourOfRows } from '../../core/operate/backfill/aggregate.ts';
import type { RecordedRow } from '../../core/operate/backfill/row-parts.ts';
import type { SortedSymbol } from './check-rows.ts';
import type { Database } from './database.ts';

interface SortedRow extends RecordedPrices {
  id: number;
}

/** The candles that the rows of the table `sorted` make, by symbol and time. Those that are not over are left out. */
export async function* storedCandles(
  database: Database,
  symbols: readonly SortedSymbol[],
  nowMs: number,
): AsyncGenerator<RecordedRow> {
  let hour: { hour: HourOfRows; of: SortedSymbol } | undefined;
  for await (const row of sortedRows(database)) {
    const of = symbols[row.id] as SortedSymbol;
    const { stepMs } = of;
    const candleMs = Math.max(stepMs, HOUR_MS);
    const startMs = Math.floor(row.startMs / candleMs) * candleMs;
    if (startMs + candleMs > nowMs) continue;
    if (hour && (hour.of !== of || hour.hour.startMs !== startMs)) {
      yield candleOf(hour.of, hour.hour.candle());
      hour = undefined;
    }
    if (stepMs < HOUR_MS) {
      hour ??= { hour: new HourOfRows(startMs, stepMs), of };
      hour.hour.add(row);
    } else if (startMs === row.startMs) {
      yield candleOf(of, row);
    }
  }
  if (hour) yield candleOf(hour.of, hour.hour.candle());
}

function candleOf({ symbol, base, quote, stepMs }: SortedSymbol, prices: RecordedPrices): RecordedRow {
  const hours: CandleHours = stepMs === DAY_MS ? 24 : 1;
  const { startMs, open, high, low, close, volume, turnover, path } = prices;
  return {
    ...{ symbol, hours, startMs, open, high, low, close },
    ...(base && quote ? { base, quote } : {}),
    ...(volume === undefined ? {} : { volume }),
    ...(turnover === undefined ? {} : { turnover }),
    ...(path === undefined ? {} : { path }),
  };
}

/** Of rows for the same time, only the last. */
async function* sortedRows(database: Database): AsyncGenerator<SortedRow> {
  let waiting: SortedRow | undefined;
  const select = `SELECT id, (start_us // 1000)::DOUBLE AS start_ms, open, high, low, close, volume, turnover FROM sorted`;
  for await (const { count, columns } of database.numbers(select)) {
    const value = (column: number, index: number) => columns[column]?.[index] ?? undefined;
    for (let index = 0; index < count; index += 1) {
      const row: SortedRow = {
        id: value(0, index) as number,
        startMs: value(1, index) as number,
        open: value(2, index) as number,
        high: value(3, index) as number,
        low: value(4, index) as number,
        close: value(5, index) as number,
        volume: value(6, index),
        turnover: value(7, index),
      };
      if (waiting && (waiting.id !== row.id || waiting.startMs !== row.startMs)) yield waiting;
      waiting = row;
    }
  }
  if (waiting) yield waiting;
}
