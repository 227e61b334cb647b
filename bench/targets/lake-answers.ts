import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { MANIFEST_VERSION } from '../../core/columns/manifest.ts';
import { type ColumnFile, columnKey, manifestKey } from '../../core/columns/objects.ts';
import type { InsightStores } from '../../core/insights/ports.ts';
import type { QuestionInput } from '../../core/insights/question.ts';
import { respond } from '../../core/insights/respond.ts';
import { type Candle, candleId } from '../../core/market/candle.ts';
import { CANDLE_INDICES, candleIndexOf } from '../../core/market/index-names.ts';
import { DAY_MS, HOUR_MS } from '../../core/market/time.ts';
import { localS3Client } from '../../local/engines/s3-client.ts';
import { percentile } from '../../local/pipeline/closing-report.ts';
import { Database } from '../../stores/duckdb/database.ts';
import { lakeInsights } from '../../stores/duckdb/insights/stores.ts';
import type { LakeRead, LakeTables } from '../../stores/duckdb/insights/tables.ts';
import { Lake } from '../../stores/duckdb/lake.ts';
import { describeParquet, writeParquet } from '../../stores/duckdb/parquet.ts';
import { candleRecord } from '../../stores/opensearch/candle-record.ts';
import { openSearchInsights } from '../../stores/opensearch/insights/stores.ts';
import { OpenSearchSearch } from '../../stores/opensearch/search.ts';
import { S3ColumnReads } from '../../stores/s3/column-reads.ts';
import { candlesOf, END_MS, HOURS, symbolOf } from '../candles.ts';
import { type BulkDocument, bulkBodies, RawClient } from '../raw-bulk.ts';
import { type BenchContext, resultOf, type Target, type TargetResult } from '../target.ts';

/** 600 are the 10.5 million candles of `two-years`, and take seven minutes. */
const SERIES = Number(process.env.BENCH_SERIES ?? 450);
const BUCKET = 'bench-answers';
const MARKET = { exchange: 'bench', category: 'linear' } as const;
const NOW = new Date(END_MS).toISOString();
const TICKS = [0, 1, 2, 3];

/** How often each is asked in a round. Different each time, so that no answer comes from a cache of the engine. */
const QUESTIONS: Record<string, { times: number; ask: (position: number) => QuestionInput }> = {
  'average over 1 y': { times: 10, ask: (at) => ({ question: 'average', over: '1y', ...series(at) }) },
  'average over 2 y': { times: 10, ask: (at) => ({ question: 'average', over: '2y', ...series(at) }) },
  'moves over 90 d': { times: 4, ask: (at) => ({ question: 'moves', over: '90d', ...series(at) }) },
  'drawdown over 1 y': { times: 4, ask: (at) => ({ question: 'drawdown', over: '1y', ...series(at) }) },
  'profile over 1 y': { times: 3, ask: (at) => ({ question: 'profile', over: '1y', ...series(at) }) },
  'volatile --top 10 over 1 y': {
    times: 3,
    ask: (at) => {
      const to = END_MS - at * HOUR_MS;
      const [from, end] = [to - 365 * DAY_MS, to].map((ms) => new Date(ms).toISOString());
      return { question: 'volatile', top: 10, ...MARKET, from, to: end };
    },
  },
};

function series(position: number) {
  return { symbol: `bench:linear:${symbolOf((position * 7) % SERIES)}` };
}

/**
 * The same questions to OpenSearch, to the lake's Parquet files in the S3 server, and to DuckDB's own table of the same
 * candles.
 */
export const lakeAnswers: Target = async (context) => {
  const { folder, openSearch, urls } = context;
  const s3 = localS3Client(urls.s3);
  const work = join(folder, 'answers');
  mkdirSync(work);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const database = await Database.open(work, { memory: '1GB', threads: 2 });
  const index = openSearchInsights(new OpenSearchSearch(openSearch, Number.POSITIVE_INFINITY));
  const lake = await Lake.open(new S3ColumnReads(s3, BUCKET), {
    cacheFolder: join(work, 'cache'),
    mostCacheBytes: 20e9,
    ...{ memory: '1GB', threads: 2 },
  });
  try {
    await load(context, join(work, 'ticks.csv'));
    const parquetBytes = await writeLake(context, database, s3, work);
    await database.run('CHECKPOINT');
    const engines = {
      lake: async () => lakeInsights(lake.tables(new AbortController().signal), NO_NOTES),
      index: async () => index,
      table: async () => lakeInsights(new OwnTable(database), NO_NOTES),
    };
    const tookMs = await inTurn(context, engines);
    const cold = await coldAverages(s3, work);
    const plain = await plainAverages(database);
    const candles = SERIES * HOURS;
    const { body } = await openSearch.indices.stats({ index: CANDLE_INDICES, metric: ['store'] });
    const indexBytes = Number(body._all?.primaries?.store?.size_in_bytes);
    const tableBytes = statSync(join(work, 'rows.duckdb')).size;
    return results(tookMs, { candles, indexBytes, parquetBytes, tableBytes, cold, plain });
  } finally {
    await lake[Symbol.asyncDispose]();
    database.close();
    s3.destroy();
    rmSync(work, { recursive: true, force: true });
  }
};

const NO_NOTES = { listings: async () => [], exchangeDown: async () => new Set<number>() };

interface Sizes {
  candles: number;
  indexBytes: number;
  parquetBytes: number;
  tableBytes: number;
  /** A year's average, ms: of a machine that never asked before, and with nothing but `SELECT avg(mean)`. */
  cold: number[];
  plain: number[];
}

type Took = Record<string, Record<'lake' | 'index' | 'table', number[]>>;

function results(took: Took, { candles, ...sizes }: Sizes): TargetResult[] {
  const p = (of: number[], percent: number) => `${percentile(of, percent).toFixed(0)} ms`;
  const each = (bytes: number) => (bytes / candles).toFixed(1);
  const year = took['average over 1 y'] as Took[string];
  return [
    resultOf(
      "a year's average, lake / DuckDB's own table",
      [percentile(year.lake, 50) / percentile(year.table, 50)],
      { atMost: 5 },
      {
        unit: '×',
        note: `p50 lake ${p(year.lake, 50)}, table ${p(year.table, 50)}; SELECT avg(mean) on the table ${percentile(sizes.plain, 50).toFixed(1)} ms; with an empty cache ${p(sizes.cold, 50)}`,
      },
    ),
    ...Object.entries(took).map(([name, of]) =>
      resultOf(
        `${name}, lake / OpenSearch`,
        [percentile(of.lake, 50) / percentile(of.index, 50)],
        { atMost: 5 },
        {
          unit: '×',
          note: (['lake', 'index', 'table'] as const)
            .map((engine) => `${engine} p50 ${p(of[engine], 50)}, p95 ${p(of[engine], 95)}`)
            .join('; '),
        },
      ),
    ),
    resultOf(
      'bytes a candle, Parquet / OpenSearch',
      [sizes.parquetBytes / sizes.indexBytes],
      { atMost: 1 },
      {
        unit: '×',
        note: `${candles} candles: Parquet ${each(sizes.parquetBytes)}, OpenSearch ${each(sizes.indexBytes)}, DuckDB's own table ${each(sizes.tableBytes)} bytes`,
      },
    ),
  ];
}

/** The engines take turns at every question. */
async function inTurn(
  { say, rounds }: BenchContext,
  engines: Record<'lake' | 'index' | 'table', () => Promise<InsightStores>>,
): Promise<Took> {
  const took: Took = {};
  for (const [name, { times, ask }] of Object.entries(QUESTIONS)) {
    const each = { lake: [], index: [], table: [] } as Took[string];
    for (let position = 0; position < times * rounds; position++) {
      for (const engine of ['lake', 'index', 'table'] as const) {
        // The first time brings the lake's files, and the others' caches are as cold.
        await answeredIn(await engines[engine](), ask(position));
        each[engine].push(await answeredIn(await engines[engine](), ask(position)));
      }
    }
    say(`${name}: ${JSON.stringify(Object.entries(each).map(([of, ms]) => [of, percentile(ms, 50)]))}`);
    took[name] = each;
  }
  return took;
}

async function answeredIn(stores: InsightStores, question: QuestionInput): Promise<number> {
  const startedMs = performance.now();
  const { response } = await respond({ ...question, now: NOW }, Date.now(), stores, {});
  if (response.kind !== 'answer') throw new Error(JSON.stringify(response));
  return performance.now() - startedMs;
}

/** Each with nothing on this machine yet. */
async function coldAverages(s3: S3Client, work: string): Promise<number[]> {
  const took: number[] = [];
  for (let position = 0; position < 5; position++) {
    const cacheFolder = join(work, `cold-${position}`);
    const lake = await Lake.open(new S3ColumnReads(s3, BUCKET), {
      ...{ cacheFolder, mostCacheBytes: 20e9, memory: '1GB', threads: 2 },
    });
    const stores = lakeInsights(lake.tables(new AbortController().signal), NO_NOTES);
    took.push(await answeredIn(stores, QUESTIONS['average over 1 y']?.ask(position) as QuestionInput));
    await lake[Symbol.asyncDispose]();
    rmSync(cacheFolder, { recursive: true });
  }
  return took;
}

async function plainAverages(database: Database): Promise<number[]> {
  const took: number[] = [];
  for (let position = 0; position < 60; position++) {
    const startedMs = performance.now();
    await database.rows(`
      SELECT avg(mean), min(low), max(high) FROM own_candles
      WHERE symbol = '${symbolOf((position * 7) % SERIES)}'
        AND start >= TIMESTAMPTZ '${new Date(END_MS - 365 * DAY_MS).toISOString()}'`);
    took.push(performance.now() - startedMs);
  }
  return took;
}

/** Candles in DuckDB's own table instead of files. */
class OwnTable implements LakeTables {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async files(table: ColumnFile['table']): Promise<ColumnFile[]> {
    return table === 'candles' ? MONTHS.map((period) => ({ table, ...MARKET, period })) : [];
  }

  async symbolsIn(): Promise<ReadonlySet<string>> {
    return SYMBOLS;
  }

  async rows<R>({ files }: LakeRead, sql: (from: string) => string): Promise<R[]> {
    return files.length === 0 ? [] : this.#database.rows<R>(sql('own_candles'));
  }

  async *numbers({ files }: LakeRead, sql: (from: string) => string) {
    if (files.length > 0) yield* this.#database.numbers(sql('own_candles'));
  }
}

const SYMBOLS = new Set(Array.from({ length: SERIES }, (_, at) => symbolOf(at)));
const MONTHS = Array.from({ length: 25 }, (_, month) =>
  new Date(Date.UTC(2024, month)).toISOString().slice(0, 7),
).filter((month) => month < '2026-01');

/** Candles into OpenSearch, and their ticks into a file. */
async function load({ openSearch, urls, say }: BenchContext, csv: string): Promise<void> {
  const file = openSync(csv, 'w');
  const raw = new RawClient(urls.openSearch, 2);
  await raw.bulk(bulkBodies(allCandles(file, say)));
  raw.close();
  closeSync(file);
  await openSearch.indices.refresh({ index: CANDLE_INDICES });
  // Bytes are compared without what merges will still remove.
  await openSearch.indices.forcemerge(
    { index: CANDLE_INDICES, max_num_segments: 1 },
    { requestTimeout: 600_000 },
  );
}

function* allCandles(csv: number, say: BenchContext['say']): Generator<BulkDocument> {
  for (let at = 0; at < SERIES; at++) {
    let lines = '';
    for (const candle of candlesOf(at)) {
      lines += lineOf(candle);
      yield { index: candleIndexOf(candle.startMs), id: candleId(candle), record: candleRecord(candle) };
    }
    writeSync(csv, lines);
    if (at % 50 === 49) say(`answers: candles of ${at + 1} of ${SERIES} series`);
  }
}

function lineOf({ symbol, base, startMs, mean, log_return, path }: Candle): string {
  return `${[symbol, base, startMs, mean, log_return ?? '', ...path.map(([, price]) => price)].join(',')}\n`;
}

/** Makes DuckDB's own table of the ticks, and of that the lake's files. @returns the bytes of the files */
async function writeLake(
  { say }: BenchContext,
  database: Database,
  s3: S3Client,
  work: string,
): Promise<number> {
  const prices = TICKS.map((tick) => `p${tick}`);
  const points = TICKS.map((tick) => `{'offset_ms': ${(tick * HOUR_MS) / TICKS.length}, 'price': p${tick}}`);
  const columns = `{'symbol': 'VARCHAR', 'base': 'VARCHAR', 'start_ms': 'BIGINT', 'mean': 'DOUBLE', 'log_return': 'DOUBLE', ${prices
    .map((price) => `'${price}': 'DOUBLE'`)
    .join(', ')}}`;
  await database.run(`
    CREATE TABLE own_candles AS
    SELECT 'bench' AS exchange, 'linear' AS category, 1 AS v, symbol, base, 'USDT' AS quote,
      make_timestamptz(start_ms * 1000) AS start, 1 AS hours, p0 AS open,
      greatest(${prices}) AS high, least(${prices}) AS low, p3 AS close, mean,
      NULL::DOUBLE AS volume, NULL::DOUBLE AS turnover, 4 AS samples, NULL::INTEGER AS polls_due, log_return,
      'ticks' AS source, [${points}]::STRUCT(offset_ms INTEGER, price DOUBLE)[] AS path
    FROM read_csv('${join(work, 'ticks.csv')}', header = false, columns = ${columns})
    ORDER BY symbol, hours, start`);
  let bytes = 0;
  for (const period of MONTHS) {
    const file: ColumnFile = { table: 'candles', ...MARKET, period };
    const path = join(work, 'month.parquet');
    const rows = `SELECT * FROM own_candles WHERE strftime(start, '%Y-%m') = '${period}'`;
    await writeParquet(database, 'candles', rows, path);
    const content = await describeParquet(database, 'candles', path);
    const put = (Key: string, Body: string | Buffer) =>
      s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    const { ETag } = await put(columnKey(file), readFileSync(path));
    const manifest = { v: MANIFEST_VERSION, object: columnKey(file), etag: ETag, ...content };
    await put(manifestKey(file), JSON.stringify({ ...manifest, skipped: 0, sources: [] }));
    bytes += content.bytes;
  }
  say(`answers: ${MONTHS.length} months of Parquet, ${(bytes / 1e6).toFixed(0)} MB`);
  return bytes;
}
