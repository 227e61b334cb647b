import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { columnKey, parseManifestKey } from '../../core/columns/objects.ts';
import { packLines } from '../../core/lake/ndjson.ts';
import { tickersKey } from '../../core/lake/ticker-objects.ts';
import { Database } from '../../stores/duckdb/database.ts';
import { writeParquet } from '../../stores/duckdb/parquet.ts';
import { pythonTool } from '../python/python-tool.ts';
import { putColumnFiles } from '../samples/column-files.ts';
import { type RecordedWeeks, recordedWeeks } from '../samples/recorded-weeks.ts';
import { InMemoryLake } from '../unit/stores/duckdb/lake-in-memory.ts';

/** What docs/lake.md prints, and what runs it; others are not run. */
const PROGRAMS = [
  ["DuckDB's command line", 'duckdb'],
  ['DuckDB in Python', 'python'],
  ['pandas', 'python'],
  ['Polars', 'python'],
  ['The NDJSON', 'python'],
] as const;

let folder: string;
let bin: string;
let recorded: RecordedWeeks;
let page: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lake-readers-'));
  page = readFileSync(new URL('../../docs/lake.md', import.meta.url), 'utf8');
  [bin, recorded] = await Promise.all([pythonTool('lake-readers'), recordedWeeks()]);
  await writeParquetFiles();
  await writeBatches();
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As compaction writes them. */
async function writeParquetFiles(): Promise<void> {
  const lake = new InMemoryLake();
  await putColumnFiles(lake, recorded);
  const database = await Database.open(folder, { memory: '512MB' });
  for (const file of [...lake.objects.keys()].flatMap((key) => parseManifestKey(key) ?? [])) {
    const rows = join(folder, 'rows.parquet');
    writeFileSync(rows, lake.objects.get(columnKey(file)) as Uint8Array);
    const path = join(folder, columnKey(file));
    mkdirSync(dirname(path), { recursive: true });
    await writeParquet(database, file.table, `FROM read_parquet('${rows}')`, path);
    rmSync(rows);
  }
  database.close();
}

async function writeBatches(): Promise<void> {
  const batches = Map.groupBy(recorded.tickers, (ticker) =>
    tickersKey({ ...ticker, slotMs: Date.parse(ticker.slot) }),
  );
  for (const [key, tickers] of batches) {
    const path = join(folder, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, await packLines(tickers.map((ticker) => JSON.stringify(ticker))));
  }
}

function average(prices: number[]): number {
  return prices.reduce((sum, price) => sum + price, 0) / prices.length;
}

const isBitcoin = ({ exchange, symbol }: { exchange: string; symbol: string }) =>
  exchange === 'recorded' && symbol === 'BTCUSD';

it.each(PROGRAMS)('%s reads the lake as docs/lake.md shows', async (title, program) => {
  const [, code] = /```\w+\n(.*?)```/s.exec(page.slice(page.indexOf(`\n${title}`))) ?? [];
  const running = promisify(execFile)(join(bin, program), { cwd: folder });
  running.child.stdin?.end(code);
  const { stdout, stderr } = await running;
  const expected =
    title === 'The NDJSON'
      ? recorded.tickers
          .filter((each) => isBitcoin(each) && each.slot.startsWith('2018-03-10'))
          .map((each) => each.last_price)
      : recorded.candles
          .filter((each) => isBitcoin(each) && new Date(each.startMs).toISOString().startsWith('2018-02'))
          .map((each) => each.mean);
  expect(expected.length).toBeGreaterThan(90);
  const [printed] = /[\d.]+\s*$/.exec(stdout) ?? [];
  expect(Math.abs(Number(printed) / average(expected) - 1), `${stdout}${stderr}`).toBeLessThan(1e-12);
});
