import { writeFile } from 'node:fs/promises';
import type { Database } from './database.ts';
import type { KnownFile } from './lake-reader.ts';
import { quoted } from './sql-text.ts';

/** Makes the table that the view reads besides `candles`: how many ticks of each series are in the file of a day. */
export async function createCompacted(
  database: Database,
  scratch: string,
  days: readonly KnownFile[] = [],
): Promise<void> {
  const lines = days.map(({ file: { exchange, category, period }, manifest: { symbols } }) =>
    JSON.stringify({ exchange, category, day: period, symbols }),
  );
  const path = `${scratch}/compacted.ndjson`;
  await writeFile(path, lines.join('\n'));
  const columns = `{exchange: 'VARCHAR', category: 'VARCHAR', day: 'DATE', symbols: 'MAP(VARCHAR, BIGINT)'}`;
  await database.run(`CREATE SCHEMA IF NOT EXISTS manifests;
    CREATE OR REPLACE TABLE manifests.tickers AS
    SELECT exchange, category, unnest(map_keys(symbols)) AS symbol, day, unnest(map_values(symbols)) AS tickers
    FROM read_json(${quoted(path)}, format = 'newline_delimited', maximum_object_size = 16777216, columns = ${columns})`);
}

/**
 * What there is of each series on each UTC day. `coverage` is the share of the day's hours with a candle; `tickers` counts
 * the rows of the day's Parquet, and is null if the day is not compacted.
 */
export const COVERAGE_VIEW = `CREATE OR REPLACE VIEW coverage AS
  SELECT exchange, category, symbol, day, coalesce(hours, 0) AS hours, coalesce(hours, 0) / 24 AS coverage,
    coalesce(hours_from_ticks, 0) AS hours_from_ticks, coalesce(hours_backfilled, 0) AS hours_backfilled, samples, polls_due, tickers
  FROM (
    SELECT exchange, category, symbol, start::DATE AS day, sum(hours)::BIGINT AS hours,
      coalesce(sum(hours) FILTER (source = 'ticks'), 0)::BIGINT AS hours_from_ticks,
      coalesce(sum(hours) FILTER (source <> 'ticks'), 0)::BIGINT AS hours_backfilled,
      sum(samples)::BIGINT AS samples, sum(polls_due)::BIGINT AS polls_due
    FROM candles GROUP BY ALL
  ) FULL JOIN manifests.tickers USING (exchange, category, symbol, day)`;
