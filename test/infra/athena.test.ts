import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COLUMNS_PREFIX, columnKey } from '../../core/columns/objects.ts';
import { type ColumnTable, columnsOf } from '../../core/columns/tables.ts';
import { closeChanges, exceedancesOf } from '../../core/insights/exceedances.ts';
import { candleFromTicks, type PriceTick } from '../../core/market/candle.ts';
import { DAY_MS, HOUR_MS, hourOf } from '../../core/market/time.ts';
import { Database } from '../../stores/duckdb/database.ts';
import { SQL_TYPES } from '../../stores/duckdb/sql-types.ts';
import { synthesise } from './synthesised.ts';

const NOW = '2026-03-31T12:34:56Z';
/** Saved queries end with the last day that is closed. */
const UNTIL_MS = Date.parse('2026-03-31T00:00:00Z');
const WINDOW = { fromMs: UNTIL_MS - 90 * DAY_MS, toMs: UNTIL_MS };
const SERIES = { exchange: 'kraken', category: 'spot', symbol: 'XXBTZUSD' } as const;
const iso = (ms: number) => new Date(ms).toISOString();

interface GlueTable {
  Name: string;
  StorageDescriptor: {
    Columns: { Name: string; Type: string }[];
    SerdeInfo: { SerializationLibrary: string };
  };
  PartitionKeys: { Name: string }[];
}

const { stateful } = synthesise('dev');
const tables = Object.values(stateful.findResources('AWS::Glue::Table')).map(
  ({ Properties }) => Properties.TableInput as GlueTable,
);
const savedQueries = new Map(
  Object.values(stateful.findResources('AWS::Athena::NamedQuery')).map(({ Properties }) => [
    Properties.Name as string,
    Properties.QueryString as string,
  ]),
);

let folder: string;
let database: Database;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'athena-'));
  database = await Database.open(folder);
  // Athena speaks Trino's SQL: what DuckDB calls otherwise.
  await database.run('CREATE MACRO date_format(day, format) AS strftime(day, format)');
  await database.run('CREATE SCHEMA crypto_market_insights_dev');
});
afterAll(async () => {
  database.close();
  await rm(folder, { recursive: true, force: true });
});

/** Writes Parquet where the lake has it. */
async function write(file: Parameters<typeof columnKey>[0], rows: readonly object[]): Promise<void> {
  const path = join(folder, columnKey(file));
  await mkdir(dirname(path), { recursive: true });
  const json = join(folder, 'rows.ndjson');
  await writeFile(json, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const types = Object.entries(columnsOf(file.table)).map(([name, kind]) => `${name}: '${SQL_TYPES[kind]}'`);
  await database.run(
    `COPY (FROM read_json('${json}', format = 'newline_delimited', columns = {${types}})) TO '${path}' (FORMAT parquet)`,
  );
}

/** The files as Glue's table shows them to Athena: with the types of its columns, and those of folders. */
async function mount(name: ColumnTable): Promise<void> {
  const table = tables.find(({ Name }) => Name === name) as GlueTable;
  const columns = table.StorageDescriptor.Columns.map(
    ({ Name, Type }) => `"${Name}"::${ATHENA_TYPES[Type]} AS "${Name}"`,
  );
  const partitions = table.PartitionKeys.map(({ Name }) => Name);
  const files = `${folder}/${COLUMNS_PREFIX}${name}/${partitions.map((each) => `${each}=*`).join('/')}/*`;
  const hive = `hive_partitioning = true, hive_types = {${partitions.map((each) => `${each}: VARCHAR`)}}`;
  await database.run(
    `CREATE OR REPLACE VIEW crypto_market_insights_dev.${name} AS SELECT ${[...columns, ...partitions]} FROM read_parquet('${files}', ${hive})`,
  );
}

const ATHENA_TYPES: Readonly<Record<string, string>> = {
  int: 'INTEGER',
  double: 'DOUBLE',
  string: 'VARCHAR',
  timestamp: 'TIMESTAMP',
  'array<struct<offset_ms:int,price:double>>': 'STRUCT(offset_ms INTEGER, price DOUBLE)[]',
};

/** Asks a saved query as of `NOW`. */
async function ask(name: string): Promise<Record<string, unknown>[]> {
  const query = savedQueries
    .get(name)
    ?.replaceAll('current_timestamp', `TIMESTAMPTZ '${NOW}'`)
    .replaceAll('current_date', `DATE '${NOW.slice(0, 10)}'`);
  const rows = await database.rows<Record<string, unknown>>(query as string);
  const plain = (value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(value)])),
  );
}

/**
 * Writes the hourly candles of ticks, and others, into the files of their months; returns those of the ticks.
 */
async function writeCandles(ticks: readonly PriceTick[], others: readonly object[] = []) {
  await rm(join(folder, COLUMNS_PREFIX), { recursive: true, force: true });
  const candles = [...Map.groupBy(ticks, ({ slotMs }) => hourOf(slotMs))].map(([startMs, inHour]) =>
    candleFromTicks(SERIES, startMs, inHour),
  );
  const rows = candles.map(({ startMs, path, ...candle }) => ({
    ...candle,
    start: iso(startMs),
    path: path.map(([offset_ms, price]) => ({ offset_ms, price })),
  }));
  const all = [...rows, ...others] as { start: string }[];
  for (const [month, inMonth] of Map.groupBy(all, ({ start }) => start.slice(0, 7))) {
    await write({ table: 'candles', ...SERIES, period: month }, inMonth);
  }
  await mount('candles');
  return candles;
}

/** Two ticks an hour; each hour closes exactly 10 % up or down, or 1 % up. Some hours are missing. */
function manyTicks(): PriceTick[] {
  const ticks: PriceTick[] = [];
  let price = 100;
  for (let hour = -30; hour < 90 * 24 + 13; hour++) {
    price *= hour % 3 === 0 ? 1.1 : hour % 3 === 1 ? 0.9 : 1.01;
    if (hour % 50 === 7) continue;
    const startMs = WINDOW.fromMs + hour * HOUR_MS;
    ticks.push({ slotMs: startMs + 60_000, price: price * 0.95 }, { slotMs: startMs + 1_800_000, price });
  }
  return ticks;
}

describe('the saved query for', () => {
  it('the average price gives that of insights, with a coverage of at most 1', async () => {
    const candles = await writeCandles(manyTicks());
    const inWindow = candles.filter(({ startMs }) => startMs >= WINDOW.fromMs && startMs < WINDOW.toMs);
    const [answer] = await ask('Average price');
    const mean = inWindow.reduce((sum, candle) => sum + candle.mean, 0) / inWindow.length;
    expect(inWindow.length).toBeLessThan(90 * 24);
    expect(answer?.average_price).toBeCloseTo(mean, 9);
    expect(answer?.hours_with_data).toBe(inWindow.length);
    expect(answer?.coverage).toBe(inWindow.length / (90 * 24));
    await writeCandles(
      Array.from({ length: 92 * 24 + 1 }, (_, hour) => ({
        slotMs: WINDOW.fromMs + (hour - 48) * HOUR_MS,
        price: 1,
      })),
    );
    expect(await ask('Average price')).toEqual([{ average_price: 1, hours_with_data: 90 * 24, coverage: 1 }]);
  }, 60_000);

  it('rises and falls by the hour counts the exceedances of insights, and those of its first hour', async () => {
    const changes = closeChanges(await writeCandles(manyTicks()), WINDOW);
    expect(await ask('Rises and falls by the hour')).toEqual(
      [0.01, 0.05, 0.1].map((threshold) => {
        const { hoursUp, hoursDown } = exceedancesOf(changes, threshold);
        expect(hoursUp).toBeGreaterThan(600);
        return { threshold, hours_up: hoursUp, hours_down: hoursDown };
      }),
    );
    await writeCandles([
      { slotMs: WINDOW.fromMs - HOUR_MS, price: 100 },
      { slotMs: WINDOW.fromMs, price: 110 },
    ]);
    const ofFirstHour = await ask('Rises and falls by the hour');
    expect(ofFirstHour.map(({ hours_up }) => hours_up)).toEqual([1, 1, 1]);
  }, 60_000);

  it('rises and falls counts the moves that were confirmed in the window, by threshold and direction', async () => {
    const move = (threshold: number, direction: string, atMs: number, size?: number) => ({
      ...{ symbol: SERIES.symbol, threshold, direction, confirmed_time: iso(atMs), size },
    });
    const rows = [
      move(0.01, 'fall', WINDOW.fromMs - 1, 0.5),
      move(0.01, 'rise', WINDOW.fromMs, 0.02),
      move(0.01, 'rise', WINDOW.toMs - 1),
      move(0.01, 'fall', WINDOW.toMs, 0.5),
      { ...move(0.05, 'fall', WINDOW.fromMs, 0.5), symbol: 'XETHZUSD' },
      move(0.05, 'fall', WINDOW.fromMs, 0.06),
    ];
    for (const [period, some] of Map.groupBy(rows, ({ confirmed_time }) => confirmed_time.slice(0, 7))) {
      await write({ table: 'moves', ...SERIES, period }, some);
    }
    await mount('moves');
    expect(await ask('Rises and falls')).toEqual([
      { threshold: 0.01, direction: 'rise', moves: 2, average_size: 0.02, largest_size: 0.02 },
      { threshold: 0.05, direction: 'fall', moves: 1, average_size: 0.06, largest_size: 0.06 },
    ]);
  }, 60_000);

  it('prices reads only the one series, and counts a daily candle as its 24 hours', async () => {
    const daily = { symbol: SERIES.symbol, start: iso(WINDOW.fromMs), hours: 24, mean: 4, close: 4 };
    const other = { ...daily, symbol: 'XETHZUSD', mean: 999, close: 999 };
    await writeCandles([{ slotMs: WINDOW.fromMs + DAY_MS, price: 29 }], [daily, other]);
    expect(await ask('Average price')).toMatchObject([{ average_price: 5, hours_with_data: 25 }]);
    expect(await ask('Rises and falls by the hour')).toEqual([]);
  }, 60_000);
});

describe('the Glue tables', () => {
  it('are four: one for each kind of Parquet file, and one for the batches themselves', () => {
    expect(
      tables.map(({ Name, StorageDescriptor: { SerdeInfo } }) => [
        Name,
        SerdeInfo.SerializationLibrary.split('.').at(-1),
      ]),
    ).toEqual([
      ['tickers', 'ParquetHiveSerDe'],
      ['candles', 'ParquetHiveSerDe'],
      ['moves', 'ParquetHiveSerDe'],
      ['tickers_raw', 'JsonSerDe'],
    ]);
  });

  it.each<ColumnTable>(['tickers', 'candles', 'moves'])(
    'have the columns of the files, with types that Athena reads them as: %s',
    async (table) => {
      await write({ table, ...SERIES, period: table === 'tickers' ? '2026-01-01' : '2026-01' }, []);
      const path = join(folder, `${COLUMNS_PREFIX}${table}/*/*/*/*.parquet`);
      const schema = await database.rows<{ name: string; type: string | null; converted: string | null }>(
        `SELECT name, type, converted_type AS converted FROM parquet_schema('${path}')
         WHERE file_name = (SELECT max(file_name) FROM parquet_schema('${path}'))`,
      );
      const types = new Map(schema.map(({ name, type, converted }) => [name, `${type} ${converted}`]));
      const { Columns } = (tables.find(({ Name }) => Name === table) as GlueTable).StorageDescriptor;
      expect(Columns.map(({ Name, Type }) => [Name, PARQUET_TYPES[Type]])).toEqual(
        Columns.map(({ Name }) => [Name, types.get(Name)]),
      );
    },
  );
});

/** What Athena's types are in a Parquet file. https://docs.aws.amazon.com/athena/latest/ug/data-types.html */
const PARQUET_TYPES: Readonly<Record<string, string>> = {
  int: 'INT32 INT_32',
  double: 'DOUBLE null',
  string: 'BYTE_ARRAY UTF8',
  timestamp: 'INT64 TIMESTAMP_MICROS',
  'array<struct<offset_ms:int,price:double>>': 'null LIST',
};
