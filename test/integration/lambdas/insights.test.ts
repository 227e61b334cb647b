import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Command } from 'commander';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { command as insights } from '../../../cli/commands/insights.ts';
import { command as verify } from '../../../cli/commands/verify.ts';
import { type Answers, answer, type QuestionInput, questionSchema } from '../../../core/insights/question.ts';
import { candleId } from '../../../core/market/candle.ts';
import { moveId } from '../../../core/market/directional-change.ts';
import { candleIndexOf, tickerIndexOf } from '../../../core/market/index-names.ts';
import { tickerId } from '../../../core/market/ticker.ts';
import type { InsightsResponse } from '../../../lambdas/insights/handler.ts';
import { BUCKET } from '../../../local/pipeline/resources.ts';
import { candleRecord } from '../../../stores/opensearch/candle-record.ts';
import { runHere } from '../../run-here.ts';
import { putColumnFiles } from '../../samples/column-files.ts';
import {
  CHANGE,
  inMemoryStore,
  NOW,
  RANKINGS,
  type RecordedWeeks,
  recordedWeeks,
  SERIES_QUESTIONS,
} from '../../samples/recorded-weeks.ts';
import type { InMemoryStore } from '../../unit/core/insights/in-memory-store.ts';
import { InMemoryLake } from '../../unit/stores/duckdb/lake-in-memory.ts';
import { clearLake, clearTickers, openSearch, s3, services } from '../services.ts';
import { startInsights, startSetup } from './handlers.ts';
import { deadAddress } from './local-servers.ts';

/** Of a command line without a pipeline of its own. */
const folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-cli-'));
let recorded: RecordedWeeks;
let store: InMemoryStore;
let ask: (event: QuestionInput & { now?: string }) => Promise<InsightsResponse>;

async function index(documents: { index: string; id: string; source: object }[]): Promise<void> {
  for (let from = 0; from < documents.length; from += 5_000) {
    const body = documents
      .slice(from, from + 5_000)
      .flatMap(({ index, id, source }) => [{ index: { _index: index, _id: id } }, source]);
    const answered = await openSearch.bulk({ body, refresh: true });
    expect(answered.body.errors).toBe(false);
  }
}

async function clear(): Promise<void> {
  await clearTickers();
  const { body } = await openSearch.indices.get({
    index: 'candles-*,moves',
    allow_no_indices: true,
    ignore_unavailable: true,
  });
  const names = Object.keys(body);
  if (names.length > 0) await openSearch.indices.delete({ index: names.join(',') });
}

beforeAll(async () => {
  await clear();
  await (await startSetup())();
  recorded = await recordedWeeks();
  const { candles, tickers, moves } = recorded;
  await index([
    ...candles.map((candle) => ({
      index: candleIndexOf(candle.startMs),
      id: candleId(candle),
      source: candleRecord(candle),
    })),
    ...tickers.map((ticker) => ({
      index: tickerIndexOf(ticker.slot),
      id: tickerId(ticker),
      source: ticker,
    })),
    ...moves.map((move) => ({ index: 'moves', id: moveId(move), source: move })),
  ]);
  store = inMemoryStore(recorded);
  ask = await startInsights();
});
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await clear();
  await openSearch.close();
});

async function answered(question: QuestionInput): Promise<unknown> {
  const response = await ask({ ...question, now: NOW });
  expect(response).toMatchObject({ kind: 'answer', now: NOW });
  return response.kind === 'answer' ? response.answer : undefined;
}

/** Runs a command on this test's stores. */
const run = (command: Command, line: string, openSearchUrl = services.openSearch) =>
  runHere(
    command,
    ...line.split(' '),
    ...['--opensearch', openSearchUrl, '--s3', services.s3, '--folder', folder],
  );

async function commandLine(line: string, openSearchUrl?: string): Promise<string> {
  const { code, stdout, stderr } = await run(insights, `${line} --at ${NOW}`, openSearchUrl);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** The answer to the same question from everything in memory. */
const inMemory = (question: QuestionInput) =>
  answer(questionSchema.parse(question), Date.parse(NOW), store.asStores(), { 'recorded:spot': 900_000 });

/** Equal except for the last digits, because OpenSearch adds up in another order. */
function expectClose(actual: unknown, expected: unknown): void {
  const rounded = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, inner) =>
      typeof inner === 'number' ? Number(inner.toPrecision(10)) : inner,
    );
  expect(rounded(actual)).toEqual(rounded(expected));
}

describe('the insights function', () => {
  it.each(SERIES_QUESTIONS)('answers %j as from everything in memory', async (question) => {
    const found = await answered(question);
    const expected = await inMemory(question);
    if (question.question === 'compare') {
      // Percentiles come from ticks, and there are none in this window.
      expect(found).toMatchObject({ series: [{ percentiles: null }, { percentiles: null }] });
    }
    expectClose(found, expected);
  });

  it.each(RANKINGS)('answers %j as from everything in memory', async (question) => {
    const found = (await answered(question)) as Answers['volatile'];
    const expected = await inMemory(question);
    expectClose({ ...found, series: found.series.map((one) => ({ ...one, moves: [] })) }, expected);
  });

  it.each([
    ['average BTCUSD --exchange recorded --over 60d', { question: 'average', symbol: 'BTCUSD', over: '60d' }],
    [
      'moves ADAUSD --threshold 2,7 --horizon 4h,24h --over 30d',
      {
        ...{ question: 'moves', symbol: 'ADAUSD', over: '30d' },
        ...{ thresholds: [0.02, 0.07], horizons: ['4h', '24h'] },
      },
    ],
    ['volatile --over 60d --include-ended', { question: 'volatile', over: '60d', includeEnded: true }],
    [
      'percentiles ADAUSD --from-candles --over 60d',
      { question: 'percentiles', symbol: 'ADAUSD', over: '60d', fromCandles: true },
    ],
    ['drawdown ADAUSD --over 60d', { question: 'drawdown', symbol: 'ADAUSD', over: '60d' }],
    ['returns ADAUSD --by day', { question: 'returns', symbol: 'ADAUSD', by: 'day' }],
    ['correlate ETHUSD ADAUSD', { question: 'correlate', symbols: ['ETHUSD', 'ADAUSD'] }],
    ['profile ADAUSD --over 60d', { question: 'profile', symbol: 'ADAUSD', over: '60d' }],
  ] as [string, QuestionInput][])(
    'answers "%s" on the command line with the same numbers',
    async (line, given) => {
      const scope = line.includes('--exchange') ? { exchange: 'recorded' } : {};
      expect(JSON.parse(await commandLine(`${line} --json`))).toEqual(await answered({ ...given, ...scope }));
    },
  );

  it('says on the command line which window was asked if it answers whole hours', async () => {
    const text = await commandLine('average ADAUSD --over 60d');
    expect(text).toMatch(/2018-01-19 11:00 UTC to 2018-03-20 11:00 UTC.* of 1,440/s);
    expect(text).toContain('asked: 2018-01-19 10:50 UTC to 2018-03-20 10:50 UTC, answered in whole hours');
  });

  it('counts the moves of the most volatile like the question about moves', async () => {
    const window = { from: '2018-02-01', to: '2018-02-20' };
    const { series } = (await answered({ question: 'volatile', ...window })) as Answers['volatile'];
    expect(series.length).toBeGreaterThan(2);
    for (const { series: symbol, moves } of series) {
      const asked = await answered({ question: 'moves', symbol, thresholds: [0.05], ...window });
      const [one] = (asked as Answers['moves']).thresholds;
      expect(moves).toEqual([{ threshold: 0.05, rises: one?.rises.count, falls: one?.falls.count }]);
    }
  });

  it('lists every series by name', async () => {
    const found = (await answered({ question: 'series' })) as { series: { series: string }[] };
    expectClose(found, await inMemory({ question: 'series' }));
    expect(found.series.map(({ series }) => series)).toEqual([
      'other:inverse:BTCUSD',
      'recorded:spot:ADAUSD',
      'recorded:spot:BTCUSD',
      'recorded:spot:ETHUSD',
    ]);
    expect(await answered({ question: 'series', exchange: 'archive' })).toMatchObject({
      series: [{ series: 'archive:spot:BTCUSD', coverage: 1 }],
    });
  });

  it('answers percentiles of the 24 h change from the ticks', async () => {
    const percents = [5, 50, 99.9];
    const found = await answered({ question: 'percentiles', symbol: 'ETHUSD', over: '24h', percents });
    const values = expect.closeTo(CHANGE, 6);
    expect(found).toEqual({
      from: '2018-03-19T10:50:00.000Z',
      to: NOW,
      basis: 'ticks',
      series: [
        {
          series: 'recorded:spot:ETHUSD',
          samples: 4 * 24,
          effectiveSamples: 1,
          coverage: 1,
          percentiles: { 5: values, 50: values, '99.9': values },
        },
      ],
    });
    const all = (await answered({ question: 'percentiles', over: '24h', top: 3 })) as { series: unknown[] };
    expect(all.series).toHaveLength(3);
  });

  it('resolves a currency to its series with the most turnover, counted in the currency', async () => {
    expect(await answered({ question: 'average', symbol: 'btc', over: '1d' })).toMatchObject({
      series: 'recorded:spot:BTCUSD',
    });
  });

  it('asks which series is meant if there are several', async () => {
    expect(await ask({ question: 'average', symbol: 'BTCUSD', now: NOW })).toMatchObject({
      kind: 'noAnswer',
      reason: 'ambiguousSymbol',
      choices: ['other:inverse:BTCUSD', 'recorded:spot:BTCUSD'],
    });
  });

  it('suggests the nearest names for a mistyped one', async () => {
    expect(await ask({ question: 'average', symbol: 'ETHUSDX', now: NOW })).toMatchObject({
      kind: 'noAnswer',
      reason: 'unknownSymbol',
      choices: expect.arrayContaining(['ETHUSD']),
    });
  });

  it('says which range has data if the window has none', async () => {
    const question = { symbol: 'ETHUSD', from: '2019-01-01', to: '2019-02-01', now: NOW } as const;
    for (const which of ['average', 'moves'] as const) {
      expect(await ask({ question: which, ...question })).toMatchObject({
        kind: 'noAnswer',
        reason: 'noData',
        message: expect.stringContaining('it has data from 2018-01-01 00:00 to 2018-03-20 10:40'),
      });
    }
    expect(await ask({ question: 'volatile', from: '2019-01-01', to: '2019-02-01', now: NOW })).toMatchObject(
      {
        kind: 'noAnswer',
        message: expect.stringContaining('there is data from 2018-01-01 00:00 to'),
      },
    );
  });

  it('explains what is wrong with a question', async () => {
    expect(await ask({ question: 'average', symbol: 'ETHUSD', over: 'ever' })).toMatchObject({
      kind: 'badQuestion',
      message: expect.stringContaining('"ever" is not a valid duration'),
    });
    expect(await ask({ question: 'volatile', top: -1 })).toMatchObject({ kind: 'badQuestion' });
    expect(await ask({ question: 'series', now: 'soon' })).toMatchObject({ kind: 'badQuestion' });
  });

  describe('and the lake', () => {
    const line = 'average recorded:spot:BTCUSD --from 2018-03-09 --to 2018-03-19 --json';

    beforeAll(async () => {
      // What is in Parquet files ends with the last day that is over.
      const isOver = (time: string | number) => new Date(time).toISOString() < NOW.slice(0, 10);
      const objects = new InMemoryLake();
      await putColumnFiles(objects, {
        candles: recorded.candles.filter(({ startMs }) => isOver(startMs)),
        tickers: recorded.tickers.filter(({ slot }) => isOver(slot)),
        moves: recorded.moves.filter(({ confirmed_time }) => isOver(confirmed_time)),
      });
      await clearLake();
      for (const [Key, Body] of objects.objects) {
        await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
      }
    });
    it('give the same answers about every series', async () => {
      const { code, stdout } = await run(verify, '--answers --json');
      expect(JSON.parse(stdout)).toEqual({
        agree: true,
        questions: expect.any(Number),
        compared: {
          'archive:spot': { from: '1970-01-01T00:00:00.000Z', to: expect.any(String) },
          'recorded:spot': { from: '1970-01-01T00:00:00.000Z', to: '2018-03-20T00:00:00.000Z' },
        },
        notCompared: [],
        differences: [],
      });
      expect(code).toBe(0);
    });

    it('do not if the index has lost a day: the lake still answers, and the command names what differs', async () => {
      const before = JSON.parse(await commandLine(line));
      const day = { gte: '2018-03-15T00:00:00.000Z', lt: '2018-03-16T00:00:00.000Z' };
      for (const [of, time] of [
        ['candles-*', 'start'],
        ['tickers-*', 'slot'],
      ] as const) {
        const body = {
          query: { bool: { filter: [{ term: { symbol: 'BTCUSD' } }, { range: { [time]: day } }] } },
        };
        await openSearch.deleteByQuery({ index: of, body, refresh: true });
      }
      expect(JSON.parse(await commandLine(line))).toMatchObject({ hours: before.hours - 24 });

      const fromLake = JSON.parse(
        await commandLine(`${line} --engine lake`, `http://${await deadAddress()}`),
      );
      expect(fromLake).toEqual({ ...before, lakeUntil: { 'recorded:spot': '2018-03-20T00:00:00.000Z' } });

      const { code, stdout } = await run(verify, '--answers --exchange recorded');
      expect(stdout).toMatch(/^ *series .* series\.recorded:spot:BTCUSD\.hours +1847 +1871$/m);
      expect(stdout).toMatch(/^ *average recorded:spot:BTCUSD --over 90d /m);
      expect(stdout).toContain('Their answers differ');
      expect(code).toBe(1);
    });

    it('says how far the lake reaches if it does not have the open day', async () => {
      const { code, stderr } = await run(
        insights,
        `average BTCUSD --exchange recorded --at ${NOW} --over 1h --engine lake`,
      );
      expect(stderr).toContain('it has data from 2018-01-01 00:00 to 2018-03-20 00:00 UTC');
      expect(code).toBe(1);
    });
  });

  it('has no answer, and no error, if nothing was ever stored', async () => {
    await clear();
    for (const question of [
      { question: 'average', symbol: 'ETHUSD' },
      { question: 'moves', symbol: 'ETH' },
      { question: 'volatile' },
      { question: 'percentiles' },
      { question: 'series' },
    ] as const) {
      expect(await ask({ ...question, now: NOW })).toMatchObject({ kind: 'noAnswer' });
    }
  });

  it('fails if OpenSearch cannot be reached', async () => {
    const unreachable = await startInsights(`http://${await deadAddress()}`);
    await expect(unreachable({ question: 'series' }, 1_000)).rejects.toMatchObject({
      name: 'ConnectionError',
    });
  });
});
