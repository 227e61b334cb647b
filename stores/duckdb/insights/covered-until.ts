import { inScope } from '../../../core/insights/in-scope.ts';
import { formatMarket, parseSeries } from '../../../core/market/series.ts';
import { HOUR_MS } from '../../../core/market/time.ts';
import { ms } from './sql.ts';
import { filesIn, type LakeTables, newestOfEach, periodOf } from './tables.ts';

/**
 * Until when the lake's Parquet files have anything of the markets of some series: the end of the last day of ticks, or of
 * the last candle. ISO 8601 UTC, by market; markets of which there is nothing are left out.
 */
export async function coveredUntil(
  tables: LakeTables,
  series: readonly string[],
): Promise<Record<string, string>> {
  const markets = new Map(series.map(parseSeries).map((each) => [formatMarket(each), each]));
  const until: Record<string, string> = {};
  for (const [name, { exchange, category }] of [...markets].sort()) {
    const scope = { exchange, category };
    const days = newestOfEach(await filesIn(tables, 'tickers', scope, inScope));
    const months = newestOfEach(await filesIn(tables, 'candles', scope, inScope));
    const candles = await tables.rows<{ endMs: number | null }>(
      { files: months, columns: ['start', 'hours'] },
      (from) => `SELECT max(${ms('start')} + hours * ${HOUR_MS}) AS "endMs" FROM ${from}`,
    );
    const ends = [...days.map((day) => periodOf(day).toMs), ...candles.flatMap(({ endMs }) => endMs ?? [])];
    if (ends.length > 0) until[name] = new Date(Math.max(...ends)).toISOString();
  }
  return until;
}
