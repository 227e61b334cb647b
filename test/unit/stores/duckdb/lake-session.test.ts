import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csvLines, jsonLines, tableLines } from '../../../../cli/sql/result-text.ts';
import type { ColumnFile } from '../../../../core/columns/objects.ts';
import { Database } from '../../../../stores/duckdb/database.ts';
import { QueryError } from '../../../../stores/duckdb/lake-query.ts';
import { LakeSession, NothingCompactedError } from '../../../../stores/duckdb/lake-session.ts';
import { Numeral } from '../../../../stores/duckdb/plain-value.ts';
import { InMemoryLake } from './lake-in-memory.ts';

const { signal } = new AbortController();
const BYBIT = { exchange: 'bybit', category: 'spot' } as const;
/** What is needed is downloaded, whatever it saves. */
const THRIFT = { smallBytes: 0, tailBytes: 5_000, gapBytes: 0 };

let folder: string;
let database: Database;
let lake: InMemoryLake;
let session: LakeSession;
let parquet: string;

const tickers = (day: string): ColumnFile => ({ table: 'tickers', ...BYBIT, period: day });

const ticks = (day: string) => `SELECT 1::INTEGER AS v, 'S' || i % 20 AS symbol, 'BTC' AS base,
  TIMESTAMPTZ '${day}' + to_minutes(i // 20) AS slot,
  hash(i) / 1e19 AS last_price, hash(i, 1) / 1e19 AS bid_price, hash(i, 2) / 1e19 AS ask_price FROM range(8000) t (i)`;

const CANDLES = `SELECT 1::INTEGER AS v, 'S' || i % 20 AS symbol,
  TIMESTAMPTZ '2026-01-30' + to_hours((i // 20)::INTEGER) AS start, 1::INTEGER AS hours,
  hash(i) / 1e19 AS open, hash(i, 1) / 1e19 AS high, hash(i, 2) / 1e19 AS low, hash(i, 3) / 1e19 AS close, hash(i, 4) / 1e19 AS mean,
  29::INTEGER AS samples, 30::INTEGER AS polls_due, if(i % 3 = 0, 'backfill', 'ticks') AS source,
  [{offset_ms: 0::INTEGER, price: hash(i) / 1e19}, {offset_ms: 1000::INTEGER, price: hash(i, 7) / 1e19}] AS path FROM range(800) t (i)`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lake-session-'));
  database = await Database.open(folder, { memory: '512MB' });
  lake = new InMemoryLake();
  for (const day of ['2026-01-30', '2026-01-31']) await lake.put(database, folder, tickers(day), ticks(day));
  await lake.put(database, folder, { table: 'candles', ...BYBIT, period: '2026-01' }, CANDLES);
  parquet = join(folder, 'answer.parquet');
  session = await open('cache', {}, [parquet]);
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(cache: string, limits = {}, writes: string[] = []): Promise<LakeSession> {
  const cacheFolder = join(folder, cache);
  const options = { cacheFolder, mostCacheBytes: 1e9, memory: '512MB', threads: 1, thrift: THRIFT };
  return LakeSession.open(lake, limits, options, writes);
}

async function answer(sql: string, to = session) {
  const query = await to.prepare(sql, signal);
  const { columns, chunks } = await to.run(query, signal);
  return { columns, rows: (await Array.fromAsync(chunks)).flat(), bytes: query.plan.bytesToDownload };
}

const forget = () => rmSync(join(folder, 'cache'), { recursive: true, force: true });

const QUERIES = [
  'SELECT count(*) FROM tickers',
  'SELECT symbol, avg(last_price), max(bid_price) FROM tickers WHERE ask_price > 0.5 GROUP BY symbol ORDER BY symbol',
  'FROM tickers ORDER BY last_price, symbol LIMIT 5',
  "SELECT symbol FROM tickers WHERE dt = '2026-01-31' ORDER BY bid_price DESC LIMIT 3",
  'SELECT count(DISTINCT t) FROM tickers t',
  'SELECT sum(hash(c)::DOUBLE) FROM candles c',
  'SELECT symbol, list_sum(list_transform(path, lambda p: p.price)) FROM candles ORDER BY ALL LIMIT 9',
  'SELECT path[1].price AS first FROM candles ORDER BY first LIMIT 3',
  `SELECT t.symbol, t.slot, c.close FROM tickers t ASOF JOIN candles c ON t.symbol = c.symbol AND t.slot >= c.start
   ORDER BY ALL LIMIT 20`,
  'SELECT symbol FROM tickers t WHERE last_price > (SELECT max(close) FROM candles c WHERE c.symbol = t.symbol) ORDER BY ALL',
  'SELECT symbol, last_price - lag(last_price) OVER (PARTITION BY symbol ORDER BY slot) AS d FROM tickers QUALIFY d > 1.7 ORDER BY d',
  "SELECT COLUMNS('.*_price') FROM tickers ORDER BY ALL LIMIT 4",
  'PIVOT (SELECT symbol, source, close FROM candles) ON source USING max(close) ORDER BY symbol',
  'SUMMARIZE candles',
  'DESCRIBE moves',
  'SHOW TABLES',
  'WITH a AS (SELECT * FROM tickers), b AS (SELECT * FROM a WHERE base IS NOT NULL) SELECT max(slot) FROM b',
  'SELECT day, sum(hours), sum(tickers), min(coverage) FROM coverage GROUP BY day ORDER BY day',
  'SELECT (SELECT count(*) FROM candles) AS a, (SELECT min(symbol) FROM tickers) AS b -- and a comment',
  '(SELECT symbol, close FROM candles UNION SELECT symbol, last_price FROM tickers) ORDER BY ALL LIMIT 7;',
];

/** A file that no query may write; without its ending. */
const ELSEWHERE = join(tmpdir(), `lake-session-${randomUUID()}`);

/** What only somebody who wants more than an answer would ask. */
const REFUSED = [
  `COPY (SELECT 1) TO '${ELSEWHERE}.csv'`,
  `EXPLAIN ANALYZE COPY (SELECT 1) TO '${ELSEWHERE}.csv'`,
  `/* */ EXPLAIN ANALYZE COPY (SELECT 1) TO '${ELSEWHERE}.csv'`,
  `COPY (SELECT 1) TO '${ELSEWHERE}.csv'; SELECT 1`,
  `ATTACH '${ELSEWHERE}.db'`,
  'INSTALL httpfs',
  'LOAD httpfs',
  'SET enable_external_access = true',
  'CREATE TABLE t AS SELECT 1',
  'DROP VIEW tickers',
  'SELECT 1; SELECT 2',
  "SELECT * FROM read_text('/etc/passwd')",
  "CREATE TABLE t AS SELECT * FROM read_text('/etc/passwd'); SELECT * FROM t",
  "SELECT * FROM '/etc/passwd'",
  "SELECT * FROM glob('/*')",
  "SELECT * FROM read_parquet('https://example.com/x.parquet')",
  `SELECT * FROM query('COPY (SELECT 1) TO ''${ELSEWHERE}.csv''')`,
  'CREATE PERSISTENT SECRET s (TYPE http); SELECT 1',
];

const EVERY_VALUE = `SELECT 9007199254740993 AS big, 12345678901234567890123456789::HUGEINT AS huge, 1.10::DECIMAL(9, 2) AS decimal,
  TIMESTAMPTZ '2026-01-31 23:59:59.123+00' AS time, TIMESTAMPTZ '2026-01-31 23:59:59.123456+02' AS micros,
  TIMESTAMPTZ '1960-01-01 00:00:00.000005+00' AS old, TIMESTAMP_NS '2026-01-31 12:00:00.123456789' AS nanos,
  DATE '2026-01-31' AS day, TIMESTAMP '2026-01-31 12:00' AS local, 'infinity'::TIMESTAMPTZ AS never, [1, NULL] AS list,
  {a: 1, b: [2.5::DOUBLE]} AS struct, MAP {'k': 5} AS map, 0.1::DOUBLE + 0.2::DOUBLE AS double, 'NaN'::DOUBLE AS nan, true AS yes, NULL AS nothing,
  '=1+1' AS formula, -1 AS negative, 'x' AS x, 'y' AS x`;

describe('a query of the lake', () => {
  it('gets all that it needs, however little that is', async () => {
    await using whole = await open('whole');
    for (const table of ['tickers', 'candles']) {
      await answer(`SELECT count(*) FROM (SELECT DISTINCT * FROM ${table})`, whole);
    }
    for (const sql of QUERIES) {
      forget();
      const found = await answer(sql);
      const expected = await answer(sql, whole);
      expect(found.rows, sql).toEqual(expected.rows);
      expect(found.rows.length, sql).toBeGreaterThan(0);
    }
  });

  it('downloads no more than the columns that it reads', async () => {
    const bytesOf = async (sql: string) => {
      forget();
      return (await session.prepare(sql, signal)).plan.bytesToDownload;
    };
    const all = await bytesOf('FROM tickers');
    expect(await bytesOf('SELECT max(last_price) FROM tickers')).toBeLessThan(all / 2);
    expect(await bytesOf('SHOW TABLES')).toBe(0);
  });

  it('sees no more than the session is limited to', async () => {
    const from = { fromMs: Date.parse('2026-01-31T00:30Z'), symbols: ['S3', 'S4'] };
    await using limited = await open('limited', from);
    const { rows } = await answer(
      'SELECT count(*), min(symbol), max(symbol), min(slot) FROM tickers',
      limited,
    );
    expect(rows).toEqual([[new Numeral('740'), 'S3', 'S4', '2026-01-31T00:30:00.000Z']]);
    await using elsewhere = await open('limited', { exchange: 'okx' });
    expect((await answer('SELECT count(*) FROM tickers', elsewhere)).rows).toEqual([[new Numeral('0')]]);
  });

  it('cannot do anything else', async () => {
    for (const sql of REFUSED) await expect(answer(sql), sql).rejects.toThrow(QueryError);
    // The second lock, should one that reaches out ever be taken for a question.
    const { plan } = await session.prepare('SELECT 1', signal);
    for (const sql of REFUSED.filter((each) => /passwd|glob|https|httpfs|ATTACH|COPY|SET /.test(each))) {
      await expect(session.run({ sql, plan, coverage: false }, signal), sql).rejects.toThrow(QueryError);
    }
    expect(existsSync(`${ELSEWHERE}.csv`)).toBe(false);
  });

  it('is told what is wrong and where', async () => {
    await expect(answer('SELECT symbol FROM tickers WHERE')).rejects.toThrow('syntax error');
    await expect(answer('GROUP BY 1')).rejects.toThrow(/^Parser Error/);
    await expect(answer('SELECT symbl FROM tickers')).rejects.toThrow(/"symbl" not found.*symbol.*\^/s);
    await expect(answer('SELECT 1 FROM trades')).rejects.toThrow(
      'There are tickers, candles, moves, coverage.',
    );
    await expect(answer('FROM moves')).rejects.toThrow(NothingCompactedError);
    await expect(answer('FROM moves')).rejects.toThrow('npm run compact');
    await expect(answer(' ')).rejects.toThrow('There is no query.');
    await expect(answer('-- nothing')).rejects.toThrow('There is no query.');
    await expect(answer("SELECT error('at the end') FROM tickers")).rejects.toThrow('at the end');
  });

  it('is written as Parquet', async () => {
    const sql = 'SELECT symbol, max(last_price) AS most FROM tickers GROUP BY symbol ORDER BY symbol; ';
    expect(await session.writeParquet(await session.prepare(sql, signal), parquet, signal)).toBe(20);
    const { rows } = await answer(sql);
    expect(await database.rows(`FROM '${parquet}'`)).toEqual(
      rows.map(([symbol, most]) => ({ symbol, most })),
    );
    const elsewhere = session.writeParquet(await session.prepare(sql, signal), `${parquet}2`, signal);
    await expect(elsewhere).rejects.toThrow('disabled by configuration');
  });

  it('has values that lose nothing', async () => {
    const { columns, rows } = await answer(EVERY_VALUE);
    const numeral = (digits: string) => new Numeral(digits);
    expect(Object.fromEntries(columns.map((column, index) => [column, rows[0]?.[index]]))).toMatchObject({
      big: numeral('9007199254740993'),
      huge: numeral('12345678901234567890123456789'),
      decimal: numeral('1.10'),
      time: '2026-01-31T23:59:59.123Z',
      micros: '2026-01-31T21:59:59.123456Z',
      old: '1960-01-01T00:00:00.000005Z',
      nanos: '2026-01-31T12:00:00.123456789',
      day: '2026-01-31',
      local: '2026-01-31T12:00:00.000',
      never: 'infinity',
      list: [1, null],
      struct: { a: 1, b: [2.5] },
      map: { k: 5 },
      double: 0.1 + 0.2,
      nothing: null,
    });
    const result = {
      columns,
      chunks: {
        async *[Symbol.asyncIterator]() {
          yield rows;
        },
      },
    };
    const json = (await Array.fromAsync(jsonLines(result))).join('');
    expect(json).toContain('"big":9007199254740993,"huge":12345678901234567890123456789,"decimal":1.10,');
    expect(json).toContain('"double":0.30000000000000004,"nan":"NaN","yes":true,"nothing":null');
    expect(Object.keys(JSON.parse(json)[0])).toEqual(columns);
    const [header, line] = await Array.fromAsync(csvLines(result));
    expect(header).toBe(columns.join(','));
    expect(line).toContain('9007199254740993,12345678901234567890123456789,1.10,2026-01-31T23:59:59.123Z');
    expect(line).toContain(
      `,"[1,null]","{""a"":1,""b"":[2.5]}","{""k"":5}",0.30000000000000004,NaN,true,,'=1+1,-1,x,y`,
    );
    const table = (await Array.fromAsync(tableLines(result))).join('\n').split('\n');
    expect(table).toHaveLength(3);
    expect(table[1]).toContain('2026-01-31T21:59:59.123456Z');
    const list = (await Array.fromAsync(tableLines(result, 80))).join('\n').split('\n');
    expect(list).toContain('  micros    2026-01-31T21:59:59.123456Z');
    expect(list.join()).not.toContain('nothing');
  });
});
