import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { compact } from '../../core/columns/compact.ts';
import { columnKey } from '../../core/columns/objects.ts';
import { columnsOf } from '../../core/columns/tables.ts';
import { tickerDays } from '../../core/columns/ticker-days.ts';
import { s3Environment } from '../../local/engines/s3-client.ts';
import { SQL_TYPES } from '../../stores/duckdb/sql-types.ts';
import { writeTickerFile } from '../../stores/duckdb/ticker-file.ts';
import { createS3Client, FILE_REQUESTS } from '../../stores/s3/client.ts';
import { S3Columns } from '../../stores/s3/columns.ts';
import { DAY, DAY_MARKET } from '../lake-day.ts';
import type { CompactionFigures } from './lake-compaction.ts';

const [work = '', url = '', bucket = '', folder = ''] = process.argv.slice(2);
const startedMs = performance.now();
const { rows, bytes } = work === 'compact' ? await compacted() : await copied();
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
const figures: CompactionFigures = {
  rows,
  bytes,
  seconds: (performance.now() - startedMs) / 1_000,
  cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
  peakMb: maxRSS / 1_000,
};
process.send?.(figures);

/** All that the compact function does: from the lake's listing to the manifest. */
async function compacted(): Promise<{ rows: number; bytes: number }> {
  Object.assign(process.env, s3Environment(url));
  const store = new S3Columns(createS3Client(process.env, FILE_REQUESTS), bucket);
  const services = {
    store,
    makers: [tickerDays(store, (...given) => writeTickerFile(store, ...given))],
    log: { info() {}, warn() {}, error: console.error },
    emit() {},
    now: Date.now,
  };
  const input = { now: `${DAY.slice(0, 7)}-02T00:00:00.000Z`, again: true };
  const { output } = await compact.slice(input, undefined, services, {
    deadlineMs: Number.POSITIVE_INFINITY,
  });
  const file = { table: 'tickers', ...DAY_MARKET, period: DAY } as const;
  const manifest = await store.readManifest(file);
  if (manifest?.object !== columnKey(file)) throw new Error('no manifest was written');
  return { rows: output.rows, bytes: manifest.bytes };
}

/** The yardstick: DuckDB reads the same objects from the disk and writes them as they come, unsorted. */
async function copied(): Promise<{ rows: number; bytes: number }> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const columns = Object.entries(columnsOf('tickers'));
  const types = columns.map(([name, kind]) => `${name}: '${SQL_TYPES[kind]}'`).join(', ');
  const file = join(folder, 'copy.parquet');
  const result = await connection.run(
    `COPY (SELECT ${columns.map(([name]) => name).join(', ')} FROM read_json('${folder}/*.ndjson.gz',
       format = 'newline_delimited', hive_partitioning = false, columns = {${types}}))
     TO '${file}' (FORMAT parquet, COMPRESSION zstd)`,
  );
  if (readdirSync(folder).length < 2) throw new Error(`${folder} has no objects`);
  return { rows: Number((await result.getRowsJS())[0]?.[0]), bytes: statSync(file).size };
}
