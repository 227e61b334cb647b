import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { BUCKET } from '../../local/pipeline/resources.ts';
import { Database } from '../../stores/duckdb/database.ts';
import { InMemoryLake } from '../unit/stores/duckdb/lake-in-memory.ts';
import { clearLake, s3, services } from './services.ts';

const run = promisify(execFile);
const FILE = { table: 'tickers', exchange: 'sql-test', category: 'spot', period: '2026-01-31' } as const;
const TICKS = `SELECT 1::INTEGER AS v, 'BTCUSDT' AS symbol, TIMESTAMPTZ '2026-01-31' + to_minutes(i) AS slot, 100.5 + i AS last_price
  FROM range(3) t (i)`;

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(inject('runFolder'), 'sql-'));
  const database = await Database.open(folder);
  const written = new InMemoryLake();
  await written.put(database, folder, FILE, TICKS);
  database.close();
  await clearLake();
  for (const [Key, Body] of written.objects)
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `npm run sql` with this query on stdin. */
async function sql(query: string, ...options: string[]) {
  const args = [
    'cli/main.ts',
    'sql',
    '--s3',
    services.s3,
    '--folder',
    folder,
    '--exchange',
    FILE.exchange,
    ...options,
  ];
  const running = run(process.execPath, args);
  running.child.stdin?.end(query);
  const { stdout, stderr } = await running.catch((error) => error as { stdout: string; stderr: string });
  return { stdout, stderr, code: running.child.exitCode };
}

it('answers from the lake as a table, CSV and JSON, and says what it downloads', async () => {
  const all = 'SELECT symbol, slot, last_price FROM tickers ORDER BY slot';
  const table = await sql(all);
  expect(table).toMatchObject({ code: 0, stderr: 'Downloading 0.0 MB for 1 file from the lake.\n' });
  expect(table.stdout.split('\n').slice(0, 2)).toEqual([
    '  symbol   slot                      last_price',
    '  BTCUSDT  2026-01-31T00:00:00.000Z       100.5',
  ]);
  const [json, csv, refused] = await Promise.all([
    sql(all, '--json', '--from', '2026-01-31T00:02'),
    sql(all, '--csv', '--to', '2026-01-31T00:01'),
    sql('SELECT symbol FROM ticker', '--json'),
  ]);
  expect(JSON.parse(json.stdout)).toEqual([
    { symbol: 'BTCUSDT', slot: '2026-01-31T00:02:00.000Z', last_price: 102.5 },
  ]);
  expect(json.stderr, 'downloaded before').toBe('');
  expect(csv.stdout).toBe('symbol,slot,last_price\nBTCUSDT,2026-01-31T00:00:00.000Z,100.5\n');
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('There are tickers, candles, moves, coverage.');
});

it('writes Parquet, and downloads no more than allowed', async () => {
  const out = join(folder, 'out.parquet');
  rmSync(join(folder, 'lake-cache'), { recursive: true, force: true });
  const tooMuch = await sql('FROM tickers', '--max-gb', '0.0000001');
  expect(tooMuch).toMatchObject({ code: 2, stdout: '' });
  expect(tooMuch.stderr).toContain('more than --max-gb');
  writeFileSync(out, 'something older');
  const written = await sql('FROM tickers', '--parquet', out);
  expect(written).toMatchObject({ code: 0, stderr: expect.stringContaining('3 rows') });
  expect(readFileSync(out).subarray(0, 4).toString()).toBe('PAR1');
});
