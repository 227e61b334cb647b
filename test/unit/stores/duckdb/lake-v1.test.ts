import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifest } from '../../../../core/columns/manifest.ts';
import { breakingColumnChanges, parquetSchema } from '../../../../core/columns/schemas.ts';
import { COLUMN_TABLES, type ColumnTable, columnsOf } from '../../../../core/columns/tables.ts';
import { unpackLines } from '../../../../core/lake/ndjson.ts';
import { parseTicker } from '../../../../core/market/ticker.ts';
import { Database } from '../../../../stores/duckdb/database.ts';
import { LakeSession } from '../../../../stores/duckdb/lake-session.ts';
import { writeParquet } from '../../../../stores/duckdb/parquet.ts';
import { SQL_TYPES } from '../../../../stores/duckdb/sql-types.ts';
import { InMemoryLake } from './lake-in-memory.ts';

/** Never written again: what was stored with version 1 has to be read for ever. */
const FILES = fileURLToPath(new URL('../../../fixtures/lake-v1', import.meta.url));
const PERIODS = { tickers: '2026-03-01', candles: '2026-03', moves: '2026-03' } as const;
const { signal } = new AbortController();

type StoredRecord = Record<string, unknown> & { path?: [number, number][] };
const RECORDS = JSON.parse(readFileSync(`${FILES}/records.json`, 'utf8')) as Record<
  ColumnTable,
  StoredRecord[]
>;

let folder: string;
let database: Database;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lake-v1-'));
  database = await Database.open(folder, { memory: '256MB' });
});
afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The schema of a Parquet file, as it prints itself. */
async function schemaOf(table: ColumnTable, path: string): Promise<string> {
  const rows = await database.rows<{
    name: string;
    type: string | null;
    num_children: bigint | null;
    [name: string]: unknown;
  }>(`SELECT *, repetition_type AS repetition, converted_type AS converted FROM parquet_schema('${path}')`);
  const logical: Record<string, string> = {
    INT_32: ' (INTEGER(32,true))',
    UTF8: ' (STRING)',
    TIMESTAMP_MICROS: ' (TIMESTAMP(MICROS,true))',
    LIST: ' (LIST)',
  };
  const physical: Record<string, string> = {
    INT32: 'int32',
    INT64: 'int64',
    DOUBLE: 'double',
    BYTE_ARRAY: 'binary',
  };
  const children = rows.values();
  const lines = (count: number, indent: string): string =>
    Array.from({ length: count }, () => {
      const { name, type, num_children, repetition, converted } = children.next()
        .value as (typeof rows)[number];
      const what = type === null ? 'group' : physical[type];
      const head = `${indent}${String(repetition).toLowerCase()} ${what} ${name}${logical[String(converted)] ?? ''}`;
      return type === null
        ? `${head} {\n${lines(Number(num_children), `${indent}  `)}${indent}}\n`
        : `${head};\n`;
    }).join('');
  const root = children.next().value as (typeof rows)[number];
  return `message ${table} {\n${lines(Number(root.num_children), '  ')}}\n`;
}

describe('the lake of version 1', () => {
  it('has tickers that are tickers', async () => {
    const lines = await unpackLines(readFileSync(`${FILES}/tickers.ndjson.gz`));
    expect(lines.map(parseTicker)).toEqual(RECORDS.tickers.map((ticker) => ({ ticker })));
  });

  it('has a manifest that is one', () => {
    expect(parseManifest(readFileSync(`${FILES}/manifest.json`, 'utf8'), 'manifest.json')).toMatchObject({
      rows: 2,
    });
  });

  it.each(COLUMN_TABLES)('has %s whose columns are all still there, and mean the same', async (table) => {
    const older = await schemaOf(table, `${FILES}/${table}.parquet`);
    expect(breakingColumnChanges(older, parquetSchema(table))).toEqual([]);
  });

  it('answers queries', async () => {
    const lake = new InMemoryLake();
    for (const table of COLUMN_TABLES) {
      const file = { table, exchange: 'bybit', category: 'spot', period: PERIODS[table] } as const;
      await lake.putFile(database, file, `${FILES}/${table}.parquet`);
    }
    const options = { cacheFolder: join(folder, 'cache'), mostCacheBytes: 1e9, memory: '256MB', threads: 1 };
    const session = await LakeSession.open(lake, {}, options);
    try {
      for (const table of COLUMN_TABLES) {
        const result = await session.run(await session.prepare(`FROM ${table}`, signal), signal);
        const rows = (await Array.fromAsync(result.chunks)).flat();
        const found = rows.map((row) =>
          Object.fromEntries(row.map((value, index) => [result.columns[index], value])),
        );
        const stored = RECORDS[table].map(({ path, ...record }) => ({
          ...record,
          ...(path ? { path: path.map(([offset_ms, price]) => ({ offset_ms, price })) } : {}),
        }));
        expect(found).toMatchObject(stored);
        expect(found.map((row) => Object.values(row).filter((value) => value !== null).length)).toEqual(
          stored.map((record) => Object.keys(record).length + 1), // with the period
        );
      }
    } finally {
      await session[Symbol.asyncDispose]();
    }
  });
});

it.each(COLUMN_TABLES)('%s are written with their published schema', async (table) => {
  const columns = Object.entries(columnsOf(table)).map(
    ([name, kind]) => `NULL::${SQL_TYPES[kind]} AS ${name}`,
  );
  const path = join(folder, `${table}.parquet`);
  await writeParquet(database, table, `SELECT ${columns.join(', ')}`, path);
  expect(await schemaOf(table, path)).toBe(parquetSchema(table));
});
