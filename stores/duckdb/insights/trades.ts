import type { ColumnFile } from '../../../core/columns/objects.ts';
import type { CandleSeries } from '../../../core/market/candle.ts';
import { HOUR_MS } from '../../../core/market/time.ts';
import { type Trade, tradeOfCandle, tradeOfTick } from '../../../core/market/turnover.ts';
import type { Window } from '../../../core/market/window.ts';
import { between, ms, SERIES_COLUMNS } from './sql.ts';
import type { LakeTables } from './tables.ts';

interface Amounts {
  turnover: number | null;
  volume: number | null;
}

/**
 * From the newest tick of each series that the condition finds, in the hour up to their newest tick in the window.
 * @param files that may have such ticks
 */
export async function tickTrades(
  tables: LakeTables,
  files: readonly ColumnFile[],
  condition: string,
  { fromMs, toMs }: Partial<Window> = {},
): Promise<Trade[]> {
  const inWindow = `${condition} AND ${between('slot', fromMs, toMs)}`;
  const rows = await tables.rows<CandleSeries & { last_price: number } & Amounts>(
    { files, columns: ['slot', 'base', 'quote', 'last_price', 'turnover_24h', 'volume_24h'] },
    (from) => `
      WITH asked AS (SELECT * FROM ${from} WHERE ${inWindow}),
      recent AS (
        SELECT * FROM asked
        WHERE slot >= (SELECT max(slot) FROM asked) - INTERVAL ${HOUR_MS} MILLISECONDS
      )
      SELECT DISTINCT ON (${SERIES_COLUMNS}) ${SERIES_COLUMNS}, base, quote, last_price,
        turnover_24h AS turnover, volume_24h AS volume
      FROM recent ORDER BY ${SERIES_COLUMNS}, slot DESC`,
  );
  return rows.map((row) => {
    const { turnover, volume, ...tick } = present(row);
    return tradeOfTick({
      ...tick,
      ...(turnover === undefined ? {} : { turnover_24h: turnover }),
      ...(volume === undefined ? {} : { volume_24h: volume }),
    });
  });
}

/** From the candles that the condition finds and that start in the window, by their start. */
export async function candleTrades(
  tables: LakeTables,
  files: readonly ColumnFile[],
  condition: string,
  { fromMs, toMs }: Window,
): Promise<Trade[][]> {
  const rows = await tables.rows<CandleSeries & { startMs: number; close: number } & Amounts>(
    { files, columns: ['start', 'hours', 'base', 'quote', 'close', 'turnover', 'volume'] },
    (from) => `
      SELECT ${SERIES_COLUMNS}, base, quote, ${ms('start')} AS "startMs", close, turnover, volume
      FROM ${from} WHERE ${condition} AND ${between('start', fromMs, toMs)}
      ORDER BY start, ${SERIES_COLUMNS}, hours`,
  );
  const byStart = Map.groupBy(rows.map(present), ({ startMs }) => startMs);
  return [...byStart.values()].map((ofHour) => ofHour.map(tradeOfCandle));
}

function present<Row extends object>(row: Row): { [C in keyof Row]: Exclude<Row[C], null> } {
  const columns = Object.entries(row).filter(([, value]) => value !== null);
  return Object.fromEntries(columns) as { [C in keyof Row]: Exclude<Row[C], null> };
}
