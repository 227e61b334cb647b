import { existsSync, mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ColumnFile, columnKey } from '../../../../core/columns/objects.ts';
import { type LakeSelection, ObjectChangedError } from '../../../../core/columns/selection.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';
import { Database } from '../../../../stores/duckdb/database.ts';
import { LakeCache } from '../../../../stores/duckdb/lake-cache.ts';
import { LakeReader } from '../../../../stores/duckdb/lake-reader.ts';
import { createViews } from '../../../../stores/duckdb/lake-views.ts';
import { quoted } from '../../../../stores/duckdb/sql-text.ts';
import { InMemoryLake } from './lake-in-memory.ts';

const SYMBOLS = Array.from({ length: 60 }, (_, index) => `${index % 7 === 0 ? '币' : 'S'}${index}'USD`);
const DAYS = ['2026-01-30', '2026-01-31'];
const NOBODY = new AbortController().signal;

let folder: string;
let database: Database;
let lake: InMemoryLake;
let reader: LakeReader;
let cacheFolder: string;

const tickers = (period: string, exchange = 'bybit'): ColumnFile => ({
  table: 'tickers',
  exchange,
  category: 'spot',
  period,
});

/** Each symbol has a row every 4 minutes: 21,600 rows a day, with prices that do not compress. */
const rowsOf = (day: string, factor = 1) => `
  SELECT 1 AS v, symbol, slot, slot AS timestamp, hash(symbol, slot) / 1e19 * ${factor} AS last_price, hash(slot, symbol) / 1e19 AS bid_price,
    hash(symbol, slot, 3) / 1e19 AS ask_price
  FROM (SELECT unnest([${SYMBOLS.map(quoted).join(', ')}]) AS symbol),
    (SELECT unnest(generate_series(TIMESTAMPTZ '${day}', TIMESTAMPTZ '${day}' + INTERVAL 1436 MINUTE, INTERVAL 4 MINUTE)) AS slot)`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lake-reader-'));
  database = await Database.open(folder, { memory: '512MB' });
  lake = new InMemoryLake();
  for (const day of DAYS) {
    const bloom = day === DAYS[0] ? ', DICTIONARY_SIZE_LIMIT 100000' : '';
    await lake.put(database, folder, tickers(day), rowsOf(day), `, ROW_GROUP_SIZE 2048${bloom}`);
  }
  await lake.put(
    database,
    folder,
    tickers(DAYS[0] as string, 'okx'),
    rowsOf('2026-01-30', 2),
    ', ROW_GROUP_SIZE 2048',
  );
});
afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(startAfresh);

function startAfresh(): void {
  cacheFolder = mkdtempSync(join(folder, 'cache-'));
  reader = readerWith(1e9);
  lake.onOpen = () => {};
}

function readerWith(mostBytes: number): LakeReader {
  return new LakeReader(lake, new LakeCache(cacheFolder, mostBytes), database, {
    waitsMs: [1, 1, 1],
    thrift: { smallBytes: 10_000, tailBytes: 5_000, gapBytes: 500 },
  });
}

async function view(selection: LakeSelection) {
  const before = lake.bytesRead;
  const files = await reader.download(await reader.plan(selection, NOBODY), NOBODY);
  await createViews(database, files, selection);
  return { files, bytes: lake.bytesRead - before };
}

describe('what is read of the lake', () => {
  it('is the rows asked for, whatever parts of files that takes', async () => {
    const whole = new LakeReader(lake, new LakeCache(mkdtempSync(join(folder, 'whole-')), 1e9), database);
    const everything: LakeSelection = { tables: ['tickers'] };
    await createViews(
      database,
      await whole.download(await whole.plan(everything, NOBODY), NOBODY),
      everything,
    );
    await database.run('CREATE TABLE everything AS SELECT * FROM tickers');
    const startMs = Date.parse('2026-01-30T00:00Z');
    const hour = fc.integer({ min: 0, max: 50 }).map((hours) => startMs + hours * HOUR_MS);
    let parts = 0;
    const anySelection = fc.record(
      {
        symbols: fc.uniqueArray(fc.constantFrom(...SYMBOLS, 'NOSUCH'), { minLength: 1, maxLength: 55 }),
        exchange: fc.constantFrom('bybit', 'okx'),
        fromMs: hour,
        toMs: hour,
        columns: fc.constantFrom({ tickers: ['last_price'] }, { tickers: ['last_price', 'timestamp'] }),
      },
      { requiredKeys: ['symbols'] },
    );
    const alsoWanted = fc.constantFrom(
      'true',
      "symbol > 'S3'",
      "symbol IN ('S1''USD', 'S2''USD')",
      'last_price > 0.5',
    );
    await fc.assert(
      fc.asyncProperty(anySelection, alsoWanted, async (asked, also) => {
        startAfresh();
        const { files } = await view({ tables: ['tickers'], ...asked });
        parts += files.filter(({ path }) => /\.\w+\.parquet$/.test(path)).length;
        const { symbols, exchange, fromMs = 0, toMs = Date.parse('2027-01-01') } = asked;
        const columns = asked.columns
          ? `exchange, symbol, slot, ${asked.columns.tickers.join(', ')}`
          : 'exchange, symbol, slot, v, timestamp, last_price, bid_price, ask_price, dt';
        const wanted = `symbol IN (${symbols.map(quoted).join(', ')}) AND ${exchange ? `exchange = '${exchange}'` : 'true'}
          AND epoch_ms(slot) >= ${fromMs} AND epoch_ms(slot) < ${toMs}`;
        const sorted = (from: string, where: string) =>
          database.rows(
            `SELECT ${columns} FROM ${from} WHERE ${where} AND ${also} ORDER BY exchange, symbol, slot`,
          );
        expect(await sorted('tickers', 'true')).toEqual(await sorted('everything', wanted));
      }),
      // One symbol is always a part of a file; whether the others are is chance.
      { numRuns: 19, examples: SYMBOLS.slice(0, 3).map((symbol) => [{ symbols: [symbol] }, 'true']) },
    );
    expect(parts).toBeGreaterThan(8);
  });

  it('is little if it is one symbol, and less if it is one column', async () => {
    const [symbol] = SYMBOLS;
    const whole = await view({ tables: ['tickers'] });
    startAfresh();
    const one = await view({ tables: ['tickers'], symbols: [symbol as string] });
    startAfresh();
    const column = await view({
      tables: ['tickers'],
      symbols: [symbol as string],
      columns: { tickers: ['last_price'] },
    });
    expect(one.bytes).toBeLessThan(0.4 * whole.bytes);
    expect(column.bytes).toBeLessThan(0.8 * one.bytes);
  });

  it('is read from the cache the second time', async () => {
    const selections: LakeSelection[] = [
      { tables: ['tickers'], exchange: 'okx' },
      { tables: ['tickers'], symbols: SYMBOLS.slice(0, 2) },
    ];
    for (const selection of selections) {
      await view(selection);
      const plan = await reader.plan(selection, NOBODY);
      expect(plan.bytesToDownload).toBe(0);
      expect((await view(selection)).bytes).toBe(0);
    }
  });

  it('is the new file if one is replaced while it is read', async () => {
    const day = '2026-03-01';
    await lake.put(database, folder, tickers(day), rowsOf(day), ', ROW_GROUP_SIZE 2048');
    for (const [index, symbols] of [undefined, [SYMBOLS[4] as string]].entries()) {
      startAfresh();
      const selection: LakeSelection = {
        tables: ['tickers'],
        fromMs: Date.parse(day),
        ...(symbols ? { symbols } : {}),
      };
      const plan = await reader.plan(selection, NOBODY);
      await lake.put(database, folder, tickers(day), rowsOf(day, index + 10), ', ROW_GROUP_SIZE 2048');
      await createViews(database, await reader.download(plan, NOBODY), selection);
      const [row] = await database.rows<{ most: number }>('SELECT max(last_price) AS most FROM tickers');
      expect(row?.most).toBeGreaterThan(5);
    }
    lake.delete(tickers(day));
  });

  it('is refused if it is not what its manifest says', async () => {
    const file = tickers('2026-03-02');
    await lake.put(database, folder, file, rowsOf(file.period));
    const selection: LakeSelection = { tables: ['tickers'], fromMs: Date.parse(file.period) };
    lake.objects.set(columnKey(file), Buffer.from('something else'));
    await expect(view(selection)).rejects.toThrow(ObjectChangedError);
    await expect(view(selection)).rejects.toThrow(`${columnKey(file)} is not what its manifest says`);
    lake.delete(file);
  });

  it('stays in the cache as long as there is room, what was used last longest', async () => {
    const [first, second] = ['okx', 'bybit'].map(
      (exchange): LakeSelection => ({ tables: ['tickers'], exchange, toMs: Date.parse('2026-01-31') }),
    );
    const { files } = await view(first as LakeSelection);
    const path = files[0]?.path as string;
    const size = statSync(path).size;
    reader = readerWith(1.5 * size);
    await view(second as LakeSelection);
    expect(existsSync(path), 'somebody may still be reading it').toBe(true);
    const longAgo = new Date(Date.now() - 24 * HOUR_MS);
    utimesSync(path, longAgo, longAgo);
    const kept = (await view(second as LakeSelection)).files[0]?.path as string;
    expect([existsSync(path), existsSync(kept)]).toEqual([false, true]);
  });
});
