import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mergeSlices } from '../../cli/operation.ts';
import { compact } from '../../core/columns/compact.ts';
import { type Manifest, manifestSchema } from '../../core/columns/manifest.ts';
import { type ColumnFile, columnKey, manifestKey, statesKey } from '../../core/columns/objects.ts';
import type { ColumnStore } from '../../core/columns/ports.ts';
import { tickerDays } from '../../core/columns/ticker-days.ts';
import { packLines } from '../../core/lake/ndjson.ts';
import { tickersKey } from '../../core/lake/ticker-objects.ts';
import { withDatabase } from '../../stores/duckdb/database.ts';
import { sha256Of } from '../../stores/duckdb/parquet.ts';
import { writeTickerFile } from '../../stores/duckdb/ticker-file.ts';
import { S3Columns } from '../../stores/s3/columns.ts';
import { emittedBy, forgetMetrics } from '../emf.ts';
import { startCompact } from '../integration/lambdas/handlers.ts';
import { bytesOf, jsonOf, keysOf } from '../integration/lambdas/stores.ts';
import { freshBucket, s3, services } from '../integration/services.ts';
import { SILENT_LOG, sampleTicker } from '../samples/tickers.ts';
import { Crash, type CrashPoint, walk } from './crash-point.ts';
import { type Fault, type ProxiedRequest, startFaultyProxy } from './faulty-proxy.ts';
import { putObject, until } from './world.ts';

const MARKET = { exchange: 'bybit', category: 'spot' } as const;
const NOW = '2021-03-03T00:01:00.000Z';
const DAYS = ['2021-03-01', '2021-03-02'] as const;
const fileOf = (period: string) => ({ table: 'tickers', ...MARKET, period }) as const;
const MONTH = { ...MARKET, period: '2021-03' } as const;
const CANDLES = { ...MONTH, table: 'candles' } as const;
const TICKERS = { now: NOW, table: 'tickers' } as const;
const MOVES = { ...MONTH, table: 'moves' } as const;

let bucket: string;
beforeEach(async () => {
  bucket = await freshBucket();
  forgetMetrics();
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const put = (key: string, body: string | Buffer) => putObject({ bucket, topic: '' }, key, body);

async function putBatch(
  slot: string,
  symbols: readonly string[],
  more: readonly string[] = [],
): Promise<string> {
  const lines = symbols.map((symbol) => JSON.stringify(sampleTicker({ symbol, slot })));
  const key = tickersKey({ ...MARKET, slotMs: Date.parse(slot) });
  await put(key, await packLines([...lines, ...more]));
  return key;
}

/** Two days of two polls, and one poll of a day that is not over. */
async function putDays(): Promise<void> {
  for (const day of DAYS) {
    await putBatch(`${day}T00:00:00.000Z`, ['BTCUSDT', 'ETHUSDT']);
    await putBatch(`${day}T23:58:00.000Z`, ['BTCUSDT']);
  }
  await putBatch('2021-03-03T00:00:00.000Z', ['BTCUSDT']);
}

async function manifestOf(period: string): Promise<Manifest> {
  return manifestSchema.parse(await jsonOf(bucket, manifestKey(fileOf(period))));
}

/** Every Parquet file and manifest, by what it contains. */
async function columns(): Promise<Record<string, string>> {
  const keys = await keysOf(bucket, 'columns/');
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const entries = keys.map(async (key) => [key, sha256(await bytesOf(bucket, key))] as const);
  return Object.fromEntries(await Promise.all(entries));
}

describe('compacting', () => {
  it('makes files and manifests of each day that is over and its month, once', async () => {
    await putDays();
    const proxy = await startFaultyProxy(services.s3, () => 'none');
    const { scheduled, compact: command } = await startCompact({ bucket, s3: proxy.url });
    expect(await scheduled(NOW)).toMatchObject({ due: 4, written: 4, rows: 12, failed: 0, problems: [] });
    const made = await columns();
    expect(Object.keys(made).toSorted()).toEqual(
      [...DAYS.map(fileOf), CANDLES, MOVES]
        .flatMap((file) => [manifestKey(file), columnKey(file)])
        .concat(statesKey(MOVES))
        .toSorted(),
    );
    expect(await manifestOf(DAYS[0])).toMatchObject({
      rows: 3,
      first: `${DAYS[0]}T00:00:00.000Z`,
      last: `${DAYS[0]}T23:58:00.000Z`,
      symbols: { BTCUSDT: 2, ETHUSDT: 1 },
      skipped: 0,
      sha256: made[columnKey(fileOf(DAYS[0]))],
    });
    const candles = manifestSchema.parse(await jsonOf(bucket, manifestKey(CANDLES)));
    expect(candles).toMatchObject({ rows: 6, symbols: { BTCUSDT: 4, ETHUSDT: 2 } });
    const requests = proxy.requests.splice(0);
    expect(requests.filter(({ method }) => method === 'PUT')).toHaveLength(9);
    expect(await scheduled(NOW)).toMatchObject({ due: 0, written: 0, upToDate: 4 });
    expect(mergeSlices(await command({ now: NOW }, 1))).toMatchObject({ due: 0, written: 0, upToDate: 4 });
    expect(new Set(proxy.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(await columns()).toEqual(made);
    expect(emittedBy('compact')).toMatchObject([
      { FilesWritten: 4, FilesDue: 0, FilesFailed: 0, LinesSkipped: 0 },
      { FilesWritten: 0, FilesDue: 0, FilesFailed: 0, LinesSkipped: 0 },
    ]);
    await proxy.close();
  });

  it('remakes a day and its month if ticks come late, and no other day', async () => {
    await putDays();
    const { scheduled } = await startCompact({ bucket });
    await scheduled(NOW);
    const before = await columns();
    await putBatch(`${DAYS[0]}T12:00:00.000Z`, ['BTCUSDT', 'XRPUSDT']);
    expect(await scheduled(NOW)).toMatchObject({ due: 3, written: 3, rows: 13, upToDate: 1 });
    expect(await manifestOf(DAYS[0])).toMatchObject({ symbols: { BTCUSDT: 3, ETHUSDT: 1, XRPUSDT: 1 } });
    const after = await columns();
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const key of [manifestKey, columnKey]) {
      expect(after[key(fileOf(DAYS[0]))]).not.toBe(before[key(fileOf(DAYS[0]))]);
      expect(after[key(fileOf(DAYS[1]))]).toBe(before[key(fileOf(DAYS[1]))]);
    }
  });

  it('leaves out what is not a ticker, says so, and is not due again because of it', async () => {
    const slot = `${DAYS[0]}T00:00:00.000Z`;
    const bad = await putBatch(slot, ['BTCUSDT', 'BTCUSDT'], ['oops']);
    const unreadable = tickersKey({ ...MARKET, slotMs: Date.parse(slot) + 120_000 });
    const foreign = `${bad.slice(0, bad.lastIndexOf('/'))}/notes.txt`;
    await put(unreadable, 'not gzip');
    await put(foreign, 'somebody’s notes');
    const { scheduled } = await startCompact({ bucket });
    expect(await scheduled(NOW)).toMatchObject({
      written: 3,
      rows: 2,
      skipped: 2,
      problems: [
        `${foreign} is not a batch of tickers`,
        `${bad}, line 2: BTCUSDT once more`,
        expect.stringMatching(`^${bad}, line 3: not JSON`),
        expect.stringMatching(`^${unreadable} cannot be read`),
      ],
    });
    expect(await manifestOf(DAYS[0])).toMatchObject({ rows: 1, skipped: 2, unreadable: [unreadable] });
    expect(await scheduled(NOW)).toMatchObject({ due: 0, upToDate: 3 });
  });

  it('remakes a file that is not the one that its manifest describes', async () => {
    await putDays();
    const { compact: command } = await startCompact({ bucket });
    await command({ now: NOW });
    const made = await columns();
    await put(columnKey(fileOf(DAYS[0])), 'not Parquet');
    await put(manifestKey(fileOf(DAYS[1])), '{');
    expect(mergeSlices(await command({ now: NOW }))).toMatchObject({ due: 2, written: 2 });
    const again = await columns();
    for (const day of DAYS) expect(again[columnKey(fileOf(day))]).toBe(made[columnKey(fileOf(day))]);
    expect(mergeSlices(await command({ now: NOW, to: `${DAYS[1]}T00:00:00.000Z` }))).toMatchObject({
      due: 0,
      upToDate: 3,
    });
  });
});

describe('verifying the Parquet files', () => {
  it('counts the rows of each series and day, and names what differs', async () => {
    await putDays();
    const { scheduled, verify } = await startCompact({ bucket });
    await scheduled(NOW);
    const nothing = { counted: [], problems: [] };
    const day = (position: 0 | 1) => `${DAYS[position]}T00:00:00.000Z`;
    expect(mergeSlices(await verify(TICKERS, 1))).toEqual({ files: 2, rows: 6, series: 4, ...nothing });

    // Another value in a batch, and one more.
    const other = JSON.stringify(sampleTicker({ symbol: 'ETHUSDT', slot: day(0), last_price: 7 }));
    await putBatch(day(0), ['BTCUSDT'], [other]);
    await putBatch(`${DAYS[0]}T12:00:00.000Z`, ['XRPUSDT']);
    await put(columnKey(fileOf(DAYS[1])), 'not Parquet');
    const [first, second] = DAYS.map((period) => columnKey(fileOf(period)));
    const both = { ...fileOf(DAYS[0]), made: 1, parquet: 1 };
    const counted = mergeSlices(await verify({ ...TICKERS, count: [`bybit:spot:BTCUSDT ${DAYS[0]}`] }));
    expect(counted).toEqual({
      files: 2,
      rows: 7,
      series: 3,
      counted: [
        { ...both, symbol: 'BTCUSDT', made: 2, parquet: 2, same: true },
        { ...both, symbol: 'ETHUSDT', same: false },
        { ...both, symbol: 'XRPUSDT', parquet: 0, same: false },
      ],
      problems: [
        `${first} is not up to date`,
        `${second} is damaged, or its manifest or what belongs to it`,
        expect.stringMatching(`^${second} cannot be read: `),
      ],
    });

    await scheduled(NOW);
    expect(mergeSlices(await verify(TICKERS))).toEqual({ files: 2, rows: 7, series: 5, ...nothing });
  });

  it('names files that are missing, and those whose objects are', async () => {
    const key = await putBatch(`${DAYS[0]}T00:00:00.000Z`, ['BTCUSDT']);
    const { scheduled, verify } = await startCompact({ bucket });
    const file = columnKey(fileOf(DAYS[0]));
    expect(mergeSlices(await verify(TICKERS))).toMatchObject({
      files: 0,
      problems: [`${file} or its manifest is missing`],
    });
    await scheduled(NOW);
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    expect(mergeSlices(await verify(TICKERS))).toMatchObject({
      rows: 0,
      counted: [{ symbol: 'BTCUSDT', made: 0, parquet: 1, same: false }],
      problems: [`${file} is not up to date`],
    });
  });
});

describe('verifying months', () => {
  it('compares candles, moves and what is remembered of them with what their sources give', async () => {
    await putDays();
    const lower = JSON.stringify(
      sampleTicker({ symbol: 'ETHUSDT', slot: `${DAYS[0]}T12:00:00.000Z`, last_price: 1 }),
    );
    await putBatch(`${DAYS[0]}T12:00:00.000Z`, ['BTCUSDT'], [lower]);
    const { scheduled, compact: command, verify } = await startCompact({ bucket });
    await scheduled(NOW);
    /** Each file's counts, series that differ, and problems. */
    const verified = async () => {
      const found = { candles: {}, moves: {} };
      for (const table of ['candles', 'moves'] as const) {
        const { counted, ...more } = mergeSlices(await verify({ now: NOW, table }));
        found[table] = {
          ...more,
          different: counted.map(({ symbol, made, parquet }) => [symbol, made, parquet]),
        };
      }
      return found;
    };
    const right = { different: [], problems: [] };
    const [candlesKey, movesKey] = [columnKey(CANDLES), columnKey(MOVES)];
    const all = {
      candles: { files: 1, rows: 8, series: 2, ...right },
      moves: { files: 1, rows: 8, series: 1, ...right },
    };
    expect(await verified()).toEqual(all);

    await forge(CANDLES, "SELECT * REPLACE (if(symbol = 'ETHUSDT', close + 1, close) AS close)");
    await forge(MOVES, 'SELECT * REPLACE (size * 2 AS size)');
    await forge(MOVES, "SELECT * REPLACE ('{}' AS state)", 'states');
    expect(await verified()).toEqual({
      candles: { ...all.candles, different: [['ETHUSDT', 3, 3]] },
      moves: {
        ...all.moves,
        different: [['ETHUSDT', 8, 8]],
        problems: [
          `${movesKey} is not up to date`,
          `${statesKey(MOVES)} is not what the next month has to continue with`,
        ],
      },
    });
    await command({ now: NOW, again: true });

    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: candlesKey }));
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: statesKey(MOVES) }));
    expect(await verified()).toMatchObject({
      candles: { files: 0, problems: [`${candlesKey} or its manifest is missing`] },
      moves: {
        problems: [
          `${movesKey} is damaged, or its manifest or what belongs to it`,
          expect.stringMatching(`^${movesKey} cannot be made again to compare it: .*${candlesKey}`),
        ],
      },
    });
    await scheduled(NOW);
    expect(await verified()).toEqual(all);
  });
});

/** Replaces a file by what a query makes of it, with a manifest that says so. */
async function forge(file: ColumnFile, select: string, what: 'file' | 'states' = 'file'): Promise<void> {
  const store = new S3Columns(s3, bucket);
  const manifest = (await store.readManifest(file)) as Manifest;
  await withDatabase('64MB', async (database, folder) => {
    const [path, forged] = ['file', 'forged'].map((name) => `${folder}/${name}.parquet`) as [string, string];
    await store.fetchFile(what === 'file' ? columnKey(file) : statesKey(file), path);
    await database.run(`COPY (${select} FROM read_parquet('${path}')) TO '${forged}' (FORMAT parquet)`);
    const sha256 = await sha256Of(forged);
    const changed =
      what === 'file'
        ? { etag: await store.putFile(file, forged), sha256 }
        : { states: { object: statesKey(file), etag: await store.putStates(file, forged), sha256 } };
    await store.putManifest(file, { ...manifest, ...changed });
  });
}

describe('a compaction that is killed', () => {
  it('at any step is made up for by the next: the same bytes, and never a row twice', async () => {
    const slot = `${DAYS[0]}T00:00:00.000Z`;
    await putBatch(slot, ['BTCUSDT', 'ETHUSDT']);
    const steps = await walk(async (point) => {
      const output = await compactOnce(watched(new S3Columns(s3, bucket), point));
      const files = (await keysOf(bucket, 'columns/')).filter((key) => !key.includes('/manifest/'));
      expect(files.length).toBeLessThanOrEqual(1);
      if (output.failed > 0) throw new Crash('while writing');
    });
    // Folders, listings, the object, the file and its manifest.
    expect(steps).toBeGreaterThanOrEqual(2 * 8);
    const made = await columns();
    const { sha256 } = await manifestOf(DAYS[0]);
    expect(made[columnKey(fileOf(DAYS[0]))]).toBe(sha256);
    const other = await freshBucket();
    bucket = other;
    await putBatch(slot, ['BTCUSDT', 'ETHUSDT']);
    await compactOnce(new S3Columns(s3, bucket));
    expect((await columns())[columnKey(fileOf(DAYS[0]))]).toBe(sha256);
  });

  it('in the middle of an upload leaves the file that was there', async () => {
    await putBatch(`${DAYS[0]}T00:00:00.000Z`, ['BTCUSDT']);
    const { scheduled } = await startCompact({ bucket });
    await scheduled(NOW);
    const made = await columns();
    const key = columnKey(fileOf(DAYS[0]));
    const bytes = await bytesOf(bucket, key);
    const half = new Readable({ read: () => {} });
    half.push(bytes.subarray(0, bytes.length / 2));
    const upload = new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: half,
      ContentLength: bytes.length,
    });
    const killed = new AbortController();
    const failed = expect(s3.send(upload, { abortSignal: killed.signal })).rejects.toThrow();
    await until(() => half.readableLength === 0);
    killed.abort();
    await failed;
    expect(await columns()).toEqual(made);
    expect(await scheduled(NOW)).toMatchObject({ due: 0, upToDate: 3 });
  });

  it.each<[string, Fault]>([
    ['is busy', { status: 503, body: '<Error><Code>SlowDown</Code></Error>' }],
    ['cuts the connection', 'cut'],
    ['loses the answer', 'cutAfter'],
  ])('tries again if S3 %s', async (_name, fault) => {
    await putBatch(`${DAYS[0]}T00:00:00.000Z`, ['BTCUSDT']);
    let left = 2;
    const isFile = ({ method, path }: ProxiedRequest) => method === 'PUT' && path.includes('.parquet');
    const proxy = await startFaultyProxy(services.s3, (request) =>
      isFile(request) && left-- > 0 ? fault : 'none',
    );
    const { scheduled } = await startCompact({ bucket, s3: proxy.url });
    expect(await scheduled(NOW)).toMatchObject({ written: 3, failed: 0 });
    expect(await scheduled(NOW)).toMatchObject({ due: 0, upToDate: 3 });
    await proxy.close();
  });
});

async function compactOnce(store: ColumnStore) {
  const makers = [tickerDays(store, (...given) => writeTickerFile(store, ...given))];
  const given = { store, makers, log: SILENT_LOG, emit: () => {}, now: Date.now };
  const slice = await compact.slice({ now: NOW }, undefined, given, { deadlineMs: Number.POSITIVE_INFINITY });
  return slice.output;
}

/** A listing counts as one step. */
function watched(store: S3Columns, point: CrashPoint): ColumnStore {
  const listing = point.watch({ all: (prefix: string) => Array.fromAsync(store.list(prefix)) });
  return Object.assign(Object.create(point.watch(store)) as ColumnStore, {
    async *list(prefix: string) {
      yield* await listing.all(prefix);
    },
  });
}
