import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Candle } from '../../core/market/candle.ts';
import { candlePath } from '../../core/market/price-path.ts';
import { DAY_MS, HOUR_MS } from '../../core/market/time.ts';
import type { BackfillOutput } from '../../core/operate/backfill/backfill.ts';
import { type RecordedRow, rowParts } from '../../core/operate/backfill/row-parts.ts';
import type { Slice } from '../../core/operate/operation.ts';
import type { RebuildOutput } from '../../core/operate/rebuild.ts';
import type { LoopbackServer } from '../../core/runtime/loopback-server.ts';
import type { SummariseReport } from '../../core/summarise/summarise.ts';
import { backfillRows } from '../../local/history-files/backfill-rows.ts';
import { readHistory } from '../../local/history-files/read-history.ts';
import { ReplayMarket } from '../../local/market-replay/replay-market.ts';
import { startMarketReplay } from '../../local/market-replay/server.ts';
import { HOURLY_HISTORY } from '../../local/pipeline/history.ts';
import { startInsights, startOperate, startSetup } from '../integration/lambdas/handlers.ts';
import { keysOf } from '../integration/lambdas/stores.ts';
import { indexTicks, storedDocuments } from '../integration/lambdas/summaries.ts';
import { clearSummaries, clearTickers, freshBucket, openSearch } from '../integration/services.ts';
import {
  BTC,
  expectedDocuments,
  MemoryTicks,
  type Recorded,
  SETTINGS,
} from '../unit/core/summarise/in-memory.ts';
import { CANDLE_PATHS, SYMBOLS, serveCandles } from '../unit/exchanges/candle-server.ts';
import { ExchangeServer } from '../unit/exchanges/exchange-server.ts';

type Operate = Awaited<ReturnType<typeof startOperate>>;

const JULY_MS = Date.UTC(2018, 6, 1);
const iso = (ms: number) => new Date(ms).toISOString();
const signal = new AbortController().signal;

let history: RecordedRow[];
let bucket: string;
let operate: Operate;

beforeAll(async () => {
  history = await readHistory(HOURLY_HISTORY);
});
beforeEach(async () => {
  await clearTickers();
  await clearSummaries();
  await (await startSetup())();
  bucket = await freshBucket();
  vi.stubEnv('MOVE_THRESHOLDS', '0.01,0.05');
  vi.stubEnv('SAMPLING_INTERVALS', '{"recorded:spot":900000}');
  operate = await startOperate({ bucket, topic: 'unused' });
});
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  await clearTickers();
  await clearSummaries();
  await openSearch.close();
});

/** Rows of the bundled history that start in the range. */
function rowsIn(fromMs: number, toMs: number): RecordedRow[] {
  return history.filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
}

function recordedOf(exchange: string, hours: 1 | 24, rows: readonly RecordedRow[]): Recorded[] {
  return [...Map.groupBy(rows, ({ symbol }) => symbol)].map(([symbol, ofSymbol]) => ({
    series: { exchange, category: 'spot', symbol, base: symbol.slice(0, 3), quote: 'USD' },
    hours,
    rows: ofSymbol,
  }));
}

function ticksOf(rows: readonly RecordedRow[]): MemoryTicks {
  const ticks = new MemoryTicks();
  for (const row of rows) {
    const series = { ...BTC, symbol: row.symbol, base: row.symbol.slice(0, 3) };
    for (const [offsetMs, price] of candlePath(row, 1)) ticks.add(series, row.startMs + offsetMs, price);
  }
  return ticks;
}

/** Passes rows to the function as the command line does. */
function handOver(exchange: string, rows: RecordedRow[], hours: 1 | 24 = 1): Promise<BackfillOutput> {
  const invoke = async ({ operation, input }: { operation: string; input: unknown }) => {
    const outputs = await operate<BackfillOutput>(operation, input as object);
    return { output: sumOf(outputs), progress: { done: 1, total: 1, unit: '' } } satisfies Slice<unknown>;
  };
  const candles = rows
    .map((row) => ({ ...row, hours }))
    .sort((a, b) => (a.symbol === b.symbol ? a.startMs - b.startMs : a.symbol < b.symbol ? -1 : 1));
  return backfillRows({ exchange, category: 'spot', parts: rowParts(candles) }, { invoke, signal });
}

function sumOf(outputs: readonly BackfillOutput[]): BackfillOutput {
  return outputs.reduce((sum, each) => ({
    read: sum.read + each.read,
    candles: sum.candles + each.candles,
    moves: sum.moves + each.moves,
  }));
}

/** For comparing the candles and moves of two exchanges. */
function withoutOrigin({ exchange: _, ...rest }: object & { exchange: string }) {
  return rest;
}

describe('the bundled history', () => {
  it('gives the same candles and moves whether it is backfilled or summarised from ticks', async () => {
    const rows = rowsIn(JULY_MS, JULY_MS + 5 * DAY_MS);
    await handOver('archive', rows);
    await indexTicks(ticksOf(rows));
    await operate<SummariseReport>('summarise', { now: iso(JULY_MS + 5 * DAY_MS) });

    const { candles, moves } = await storedDocuments();
    const of = <T extends { exchange: string }>(documents: readonly T[], exchange: string) =>
      documents.filter((each) => each.exchange === exchange).map(withoutOrigin);
    expect(of(moves, 'recorded').length).toBeGreaterThan(100);
    expect(of(moves, 'recorded')).toEqual(of(moves, 'archive'));
    // Ticks do not have the volume of their hour.
    const comparable = ({ volume: _, ...candle }: object & { volume?: unknown }) => ({
      ...candle,
      source: 'either',
      samples: 'ticks seen',
      // The four prices are added in another order.
      mean: expect.closeTo((candle as unknown as Candle).mean, 9),
    });
    expect(of(candles, 'recorded')).toHaveLength(rows.length);
    // Only ticks have polls.
    expect(of(candles, 'archive').map((candle) => ({ ...comparable(candle), polls_due: 4 }))).toEqual(
      of(candles, 'recorded').map((candle) => ({ ...candle, source: 'either', samples: 'ticks seen' })),
    );
  });
});

describe('backfilling rows', () => {
  it('writes candles and moves to the last digit, and keeps the rows in the lake', async () => {
    const rows = rowsIn(JULY_MS, JULY_MS + 2 * DAY_MS);
    const result = await handOver('archive', rows);
    const expected = expectedDocuments(new MemoryTicks(), 0, recordedOf('archive', 1, rows));
    expect(await storedDocuments()).toEqual(expected);
    expect(result).toEqual({ read: rows.length, candles: rows.length, moves: expected.moves.length });
    expect((await keysOf(bucket, 'candles/'))[0]).toBe(
      `candles/exchange=archive/category=spot/symbol=ADAUSD/hours=1/${JULY_MS}-${JULY_MS + 47 * HOUR_MS}.rows.ndjson.gz`,
    );
  });

  it('changes nothing when repeated in any order', async () => {
    const rows = rowsIn(JULY_MS, JULY_MS + 2 * DAY_MS);
    const [first, second] = [rows.filter((_, index) => index % 3 === 0), rows];
    await handOver('archive', second);
    const before = await storedDocuments();
    await handOver('archive', first.toReversed());
    expect(await storedDocuments()).toEqual(before);
    expect((await handOver('archive', second)).candles).toBe(0);
  });

  it('uses daily candles only for days without hourly ones', async () => {
    const hourly = rowsIn(JULY_MS + DAY_MS, JULY_MS + 2 * DAY_MS);
    const daily = hourly
      .filter(({ startMs }) => startMs === JULY_MS + DAY_MS)
      .flatMap((row) => [-1, 0, 1, 2].map((day) => ({ ...row, startMs: row.startMs + day * DAY_MS })));
    await handOver('archive', daily, 24);
    await handOver('archive', hourly);
    const expected = expectedDocuments(new MemoryTicks(), 0, [
      ...recordedOf('archive', 24, daily),
      ...recordedOf('archive', 1, hourly),
    ]);
    expect(await storedDocuments()).toEqual(expected);
  });

  it('leaves hours to ticks that have half of their polls', async () => {
    const rows = rowsIn(JULY_MS, JULY_MS + 6 * HOUR_MS).filter(({ symbol }) => symbol === 'BTCUSD');
    const ticks = new MemoryTicks();
    ticks.addHour(BTC, 1, 6_500, 6_600);
    ticks.addHour(BTC, 3, 6_500);
    await indexTicks(ticks);
    await operate<SummariseReport>('summarise', { now: iso(JULY_MS + 6 * HOUR_MS) });
    await handOver('recorded', rows);
    const expected = expectedDocuments(ticks, JULY_MS + 6 * HOUR_MS, recordedOf('recorded', 1, rows));
    expect(await storedDocuments()).toEqual(expected);
    expect(expected.candles.map(({ source }) => source)).toEqual([
      'backfill',
      'ticks',
      ...Array(4).fill('backfill'),
    ]);
  });

  it('refuses invalid rows as a whole, and writes nothing', async () => {
    const [row] = rowsIn(JULY_MS, JULY_MS + HOUR_MS);
    await expect(handOver('archive', [{ ...(row as RecordedRow), high: 0.01 }])).rejects.toThrow(
      /low <= open, close <= high/,
    );
    expect(await storedDocuments()).toEqual({ candles: [], moves: [] });
  });
});

describe('backfilling from an exchange', () => {
  const FROM_MS = Date.UTC(2018, 0, 1);
  let replay: LoopbackServer;
  afterEach(() => replay?.close());

  it('fetches page after page into the lake, from which the candles can be rebuilt', async () => {
    replay = await startMarketReplay({ market: new ReplayMarket(history), clock: () => JULY_MS });
    const to = FROM_MS + 2_100 * HOUR_MS;
    const outputs = await operate<BackfillOutput>(
      'backfill',
      {
        kind: 'fetch',
        exchange: 'bybit',
        category: 'spot',
        symbols: ['BTCUSD', 'ADAUSD'],
        from: iso(FROM_MS),
        to: iso(to),
        baseUrl: replay.url,
      },
      700,
    );
    expect(outputs.length).toBeGreaterThan(1);
    const rows = rowsIn(FROM_MS, to)
      .filter(({ symbol }) => ['BTCUSD', 'ADAUSD'].includes(symbol))
      // As the replay approximates it.
      .map((row) => ({ ...row, turnover: (row.volume ?? 0) * row.close }));
    const expected = expectedDocuments(new MemoryTicks(), 0, recordedOf('bybit', 1, rows));
    expect(await storedDocuments()).toEqual(expected);
    expect(sumOf(outputs)).toMatchObject({ read: rows.length, candles: rows.length });
    expect(await keysOf(bucket, 'candles/')).toHaveLength(6);

    await clearSummaries();
    const rebuilt = await operate<RebuildOutput>('rebuild', { to: iso(JULY_MS) }, 700);
    expect(rebuilt.flatMap(({ problems }) => problems)).toEqual([]);
    expect(await storedDocuments()).toEqual(expected);
  });

  it('says which symbol the exchange does not know', async () => {
    replay = await startMarketReplay({ market: new ReplayMarket(history), clock: () => JULY_MS });
    const input = {
      kind: 'fetch',
      exchange: 'bybit',
      category: 'spot',
      symbols: ['NONSUCH'],
      from: iso(FROM_MS),
      to: iso(JULY_MS),
      baseUrl: replay.url,
    };
    await expect(operate('backfill', input)).rejects.toThrow(/symbol=NONSUCH.*symbol invalid/);
  });

  it('waits as long as the exchange asks it to', async () => {
    const askedAtMs: number[] = [];
    const server = createServer((_, response) => {
      askedAtMs.push(Date.now());
      const limited = askedAtMs.length === 1;
      const reset = String(Date.now() + 1_500);
      response.writeHead(limited ? 429 : 200, limited ? { 'x-bapi-limit-reset-timestamp': reset } : {});
      const kline = [String(FROM_MS), '10', '12', '9', '11', '1', '10'];
      response.end(JSON.stringify({ retCode: 0, retMsg: 'OK', result: { list: [kline] } }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const outputs = await operate<BackfillOutput>(
        'backfill',
        {
          kind: 'fetch',
          exchange: 'bybit',
          category: 'linear',
          symbols: ['BTCUSDT'],
          from: iso(FROM_MS),
          to: iso(FROM_MS + HOUR_MS),
          baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        },
        400,
      );
      expect(sumOf(outputs).candles).toBe(1);
      expect(askedAtMs).toHaveLength(2);
      expect((askedAtMs[1] ?? 0) - (askedAtMs[0] ?? 0)).toBeGreaterThanOrEqual(1_490);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('backfilling from another exchange', () => {
  const server = new ExchangeServer();
  const HOURS = 250;
  let btc: RecordedRow[];
  let fromMs: number;
  let toMs: number;
  beforeAll(async () => {
    await server.start();
    btc = history.filter(({ symbol }) => symbol === 'BTCUSD');
    fromMs = btc.at(-HOURS - 1)?.startMs ?? 0;
    toMs = btc.at(-1)?.startMs ?? 0;
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    server.serve({});
    serveCandles(server, { candles: btc });
  });

  const fetchOf = (exchange: string, symbol: string, given: object = {}) => ({
    kind: 'fetch',
    exchange,
    category: 'spot',
    symbols: [symbol],
    from: iso(fromMs),
    to: iso(toMs),
    baseUrl: server.url,
    ...given,
  });
  /** The server says that 1 was traded in every hour. */
  const closedHours = () => btc.slice(-HOURS - 1, -1).map((row) => ({ ...row, volume: 1, turnover: 1 }));

  it.each([
    ['binance', SYMBOLS.binance, { base: 'BTC', quote: 'USDT' }, 1],
    ['okx', SYMBOLS.okx, { base: 'BTC', quote: 'USDT' }, 3],
  ])(
    '%s answers questions exactly, and can be made again from the lake',
    async (exchange, symbol, pair, pages) => {
      const outputs = await operate<BackfillOutput>('backfill', fetchOf(exchange, symbol), 700);
      expect(sumOf(outputs)).toMatchObject({ read: HOURS, candles: HOURS });
      const expected = expectedDocuments(new MemoryTicks(), 0, [
        { series: { exchange, category: 'spot', symbol, ...pair }, hours: 1, rows: closedHours() },
      ]);
      expect(await storedDocuments()).toEqual(expected);

      const ask = await startInsights();
      // By the currency, which only the exchange's own list names.
      const window = { from: iso(fromMs), to: iso(toMs) };
      const average = await ask({ question: 'average', symbol: 'BTC', exchange, ...window });
      const means = closedHours().map(({ open, high, low, close }) => (open + high + low + close) / 4);
      expect(average).toMatchObject({
        kind: 'answer',
        answer: {
          series: `${exchange}:spot:${symbol}`,
          mean: expect.closeTo(means.reduce((sum, mean) => sum + mean, 0) / HOURS, 9),
          min: Math.min(...closedHours().map(({ low }) => low)),
          max: Math.max(...closedHours().map(({ high }) => high)),
          hours: HOURS,
          coverage: 1,
        },
      });
      expect(await keysOf(bucket, `candles/exchange=${exchange}/`)).toHaveLength(pages);
      await clearSummaries();
      operate = await startOperate({ bucket, topic: 'unused' });
      await operate<RebuildOutput>('rebuild', { to: iso(toMs + DAY_MS) });
      expect(await storedDocuments()).toEqual(expected);
    },
  );

  it('waits as long as the exchange asks, and continues', async () => {
    server.answerFirst(CANDLE_PATHS.okx, {
      body: { code: '50011', msg: 'Too Many Requests', data: [] },
    });
    const outputs = await operate<BackfillOutput>('backfill', fetchOf('okx', SYMBOLS.okx), 500);
    expect(sumOf(outputs).candles).toBe(HOURS);
    expect(server.paths().filter((path) => path.startsWith(CANDLE_PATHS.okx))).toHaveLength(4);
  });

  it('stops at an invalid candle, names it, and keeps nothing of its page', async () => {
    server.answerFirst(CANDLE_PATHS.binance, { body: [[fromMs, '1', '2', '0', '1', '1']] });
    await expect(operate('backfill', fetchOf('binance', SYMBOLS.binance))).rejects.toThrow(
      /api\/v3\/klines\S+ does not have the documented shape: 0.low: expected a price above 0/,
    );
    expect(await keysOf(bucket, 'candles/')).toEqual([]);
  });
});

describe('writers of summaries', () => {
  it('wait for each other, and in any order produce what the definitions say', async () => {
    const rows = rowsIn(JULY_MS, JULY_MS + 2 * DAY_MS);
    const [first, second] = [rows.slice(0, 90), rows.slice(90)];
    const ticks = ticksOf(rows.slice(60, 120));
    await indexTicks(ticks);
    const now = iso(JULY_MS + 2 * DAY_MS);
    await Promise.all([
      handOver('recorded', first),
      operate<SummariseReport>('summarise', { now }, 300),
      handOver('recorded', second),
      operate<RebuildOutput>('rebuild', { to: now }, 300),
    ]);
    await operate<SummariseReport>('summarise', { now });
    const expected = expectedDocuments(
      ticks,
      JULY_MS + 2 * DAY_MS,
      recordedOf('recorded', 1, rows),
      SETTINGS,
    );
    expect(await storedDocuments()).toEqual(expected);
  });
});
