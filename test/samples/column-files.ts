import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ColumnFile } from '../../core/columns/objects.ts';
import { type ColumnTable, columnsOf, PERIOD_FOLDERS, TIME_COLUMNS } from '../../core/columns/tables.ts';
import type { Candle } from '../../core/market/candle.ts';
import type { Move } from '../../core/market/directional-change.ts';
import { formatMarket, type Series } from '../../core/market/series.ts';
import type { Ticker } from '../../core/market/ticker.ts';
import { Database } from '../../stores/duckdb/database.ts';
import { SQL_TYPES } from '../../stores/duckdb/sql-types.ts';
import { candleRecord } from '../../stores/opensearch/candle-record.ts';
import type { InMemoryLake } from '../unit/stores/duckdb/lake-in-memory.ts';

/** What Parquet files are made of. */
export interface ColumnRows {
  candles: readonly Candle[];
  tickers: readonly Ticker[];
  moves: readonly Move[];
}

/** Puts Parquet files into a lake, not made by the pipeline: tests of what reads them do not depend on what writes them. */
export async function putColumnFiles(lake: InMemoryLake, rows: ColumnRows): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-columns-'));
  const database = await Database.open(folder, { memory: '512MB' });
  try {
    const paths = rows.candles.map((candle) => ({
      ...candleRecord(candle),
      path: candle.path.map(([offset_ms, price]) => ({ offset_ms, price })),
    }));
    for (const [table, records] of Object.entries({ ...rows, candles: paths }) as [ColumnTable, Series[]][]) {
      for (const [file, ofFile] of byFile(table, records)) {
        const json = join(folder, 'rows.json');
        writeFileSync(json, ofFile.map((record) => JSON.stringify(record)).join('\n'));
        const columns = Object.entries(columnsOf(table)).map(
          ([name, kind]) => `${name}: '${SQL_TYPES[kind]}'`,
        );
        const select = `SELECT * FROM read_json('${json}', format = 'newline_delimited', columns = {${columns.join(', ')}})`;
        await lake.put(database, folder, file, select);
      }
    }
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
}

function byFile<Row extends Series>(table: ColumnTable, rows: readonly Row[]): Map<ColumnFile, Row[]> {
  const length = PERIOD_FOLDERS[table] === 'dt' ? 'YYYY-MM-DD'.length : 'YYYY-MM'.length;
  const periodOf = (row: object) =>
    String((row as Record<string, unknown>)[TIME_COLUMNS[table]]).slice(0, length);
  const files = Map.groupBy(rows, (row) => `${formatMarket(row)} ${periodOf(row)}`);
  return new Map(
    [...files.values()].map((ofFile) => {
      const [{ exchange, category }] = ofFile as [Row];
      return [{ table, exchange, category, period: periodOf(ofFile[0] as Row) }, ofFile];
    }),
  );
}
