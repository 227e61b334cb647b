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
  for await (const { count, value } of database.numbers(select)) {
    for (let index = 0; index < count; index += 1) {
      const number = (column: number) => value(column, index) ?? undefined;
      const row: SortedRow = {
        id: number(0) as number,
        startMs: number(1) as number,
        open: number(2) as number,
        high: number(3) as number,
        low: number(4) as number,
        close: number(5) as number,
        volume: number(6),
        turnover: number(7),
      };
      if (waiting && (waiting.id !== row.id || waiting.startMs !== row.startMs)) yield waiting;
      waiting = row;
    }
  }
  if (waiting) yield waiting;
}
