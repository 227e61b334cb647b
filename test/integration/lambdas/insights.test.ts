import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answers, answer, type QuestionInput, questionSchema } from '../../../core/insights/question.ts';
import { pathOf } from '../../../core/insights/window-moves.ts';
import {
  type Candle,
  candleFromHistory,
  candleFromTicks,
  candleId,
  withLogReturn,
} from '../../../core/market/candle.ts';
import { moveId, moveOf, movesOf } from '../../../core/market/directional-change.ts';
import { candleIndexOf, tickerIndexOf } from '../../../core/market/index-names.ts';
import { candlePath } from '../../../core/market/price-path.ts';
import { formatSeries } from '../../../core/market/series.ts';
import { type Ticker, tickerId } from '../../../core/market/ticker.ts';
import type { InsightsResponse } from '../../../lambdas/insights/handler.ts';
import { readHistory } from '../../../local/history-files/read-history.ts';
import { candleRecord } from '../../../stores/opensearch/candle-record.ts';
import { sampleTicker } from '../../samples/tickers.ts';
import { InMemoryStore } from '../../unit/core/insights/in-memory-store.ts';
import { DAILY_HISTORY, HOURLY_HISTORY } from '../../unit/local/market-replay/bundled-history.ts';
import { clearTickers, openSearch, services } from '../services.ts';
import { startInsights, startSetup } from './handlers.ts';
import { deadAddress } from './local-servers.ts';

const ms = (text: string) => Date.parse(`${text}Z`);
const NOW = '2018-03-20T10:50:00.000Z';
/** Backfilled hours before, ticks from here on. */
const TICKS_FROM_MS = ms('2018-03-10T00:00');
/** From here on the ticks are not summarised. */
const TICKS_ONLY_FROM_MS = ms('2018-03-20T09:00');
const SYMBOLS = ['BTCUSD', 'ETHUSD', 'ADAUSD'];
const CHANGE = 0.0123;

/** Of a command line without a pipeline of its own. */
const folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-cli-'));
let store: InMemoryStore;
let ask: (event: QuestionInput & { now?: string }) => Promise<InsightsResponse>;

/** Some weeks of the bundled history as the pipeline stores it: backfilled, then ticks, the last hours not summarised. */
async function recordedHours(): Promise<{ candles: Candle[]; tickers: Ticker[] }> {
  const rows = (await readHistory(HOURLY_HISTORY)).filter(
    ({ symbol, startMs }) => SYMBOLS.includes(symbol) && startMs < ms('2018-03-20T11:00'),
  );
  const candles: Candle[] = [];
  const tickers: Ticker[] = [];
  for (const row of rows) {
    const base = row.symbol.slice(0, 3);
    const series = {
      exchange: 'recorded',
      category: 'spot',
      symbol: row.symbol,
      base,
      quote: 'USD',
    } as const;
    if (row.startMs < TICKS_FROM_MS) {
      candles.push(candleFromHistory(series, row, 1));
      continue;
    }
    const ticks = candlePath(row, 1).map(([offsetMs, price]) => ({ slotMs: row.startMs + offsetMs, price }));
    // One hour in the middle is not summarised.
    const isSummarised = row.startMs < TICKS_ONLY_FROM_MS && row.startMs !== ms('2018-03-12T05:00');
    if (isSummarised) candles.push(candleFromTicks(series, row.startMs, ticks));
    for (const { slotMs, price } of ticks) {
      if (slotMs >= ms('2018-03-20T10:45')) continue;
      const slot = new Date(slotMs).toISOString();
      tickers.push(
        sampleTicker({ ...series, slot, last_price: price, price_24h_pcnt: CHANGE, turnover_24h: 7 * price }),
      );
    }
  }
  return { candles: linked(candles), tickers };
}

function linked(candles: readonly Candle[]): Candle[] {
  const bySeries = Map.groupBy(candles, formatSeries);
  return [...bySeries.values()].flatMap((series) =>
    series.map((candle, index) => withLogReturn(candle, series[index - 1])),
  );
}

async function archivedDays(): Promise<Candle[]> {
  const rows = (await readHistory(DAILY_HISTORY)).filter(({ symbol }) => symbol === 'BTCUSD');
  const series = { exchange: 'archive', category: 'spot', symbol: 'BTCUSD', base: 'BTC' } as const;
  return linked(rows.map((row) => candleFromHistory(series, row, 24)));
}

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
  const { candles, tickers } = await recordedHours();
  const option: Ticker = sampleTicker({
    exchange: 'recorded',
    category: 'option',
    symbol: 'BTC-30MAR18-9000-C',
    base: 'BTC',
    slot: '2018-03-20T10:40:00.000Z',
    turnover_24h: 1e15,
  });
  // Less turnover in Bitcoin than the spot market's 7, more in dollars.
  const inverse: Ticker = sampleTicker({
    exchange: 'other',
    category: 'inverse',
    symbol: 'BTCUSD',
    base: 'BTC',
    slot: '2018-03-20T10:40:00.000Z',
    turnover_24h: 5,
    last_price: 8_000,
    price_24h_pcnt: CHANGE,
  });
  const days = await archivedDays();
  const allCandles = [...candles, ...days];
  const moves = SYMBOLS.flatMap((symbol) => {
    const series = candles.filter((candle) => candle.symbol === symbol);
    return movesOf(pathOf(series), 0.05).map((move) => moveOf(series[0] as Candle, move));
  });
  await index([
    ...allCandles.map((candle) => ({
      index: candleIndexOf(candle.startMs),
      id: candleId(candle),
      source: candleRecord(candle),
    })),
    ...[...tickers, option, inverse].map((ticker) => ({
      index: tickerIndexOf(ticker.slot),
      id: tickerId(ticker),
      source: ticker,
    })),
    ...moves.map((move) => ({ index: 'moves', id: moveId(move), source: move })),
  ]);
  store = new InMemoryStore(
    allCandles,
    [...tickers, inverse].map(({ slot, last_price, exchange, category, symbol, base }) => ({
      series: { exchange, category, symbol, ...(base === undefined ? {} : { base }) },
      slotMs: Date.parse(slot),
      price: last_price,
    })),
  );
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

async function commandLine(line: string): Promise<string> {
  const main = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));
  const here = ['--at', NOW, '--opensearch', services.openSearch, '--folder', folder];
  return (await promisify(execFile)(process.execPath, [main, 'insights', ...line.split(' '), ...here]))
    .stdout;
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

const spot = { exchange: 'recorded', category: 'spot' } as const;

describe('the insights function', () => {
  it.each<QuestionInput>([
    { question: 'average', symbol: 'BTCUSD', over: '1h', ...spot },
    { question: 'average', symbol: 'BTCUSD', over: '90m', ...spot },
    { question: 'average', symbol: 'BTCUSD', over: '24h', ...spot },
    { question: 'average', symbol: 'BTCUSD', over: '30d', ...spot },
    { question: 'average', symbol: 'ETHUSD', from: '2018-03-09T12:20', to: '2018-03-10T12:20' },
    { question: 'average', symbol: 'ADAUSD', over: '90d' },
    { question: 'average', symbol: 'ADAUSD', from: '2018-01-01', to: '2018-03-01' },
    { question: 'average', symbol: 'BTCUSD', exchange: 'archive', at: '2020-06-01', over: '1y' },
    {
      question: 'average',
      symbol: 'BTCUSD',
      exchange: 'archive',
      from: '2019-01-01T12:00',
      to: '2019-01-03T12:00',
    },
    { question: 'moves', symbol: 'BTCUSD', over: '90d', ...spot },
    { question: 'moves', symbol: 'BTCUSD', over: '24h', thresholds: [0.003, 0.01], ...spot },
    { question: 'moves', symbol: 'ADAUSD', over: '30d', thresholds: [0.02, 0.05] },
    { question: 'moves', symbol: 'BTCUSD', exchange: 'archive', at: '2021-01-01', over: '2y' },
    { question: 'moves', symbol: 'BTCUSD', over: '30d', horizons: ['1h', '4h', '24h', '7d'], ...spot },
    { question: 'drawdown', symbol: 'BTCUSD', over: '60d', ...spot },
    { question: 'drawdown', symbol: 'BTCUSD', over: '24h', ...spot },
    { question: 'returns', symbol: 'ADAUSD', by: 'day' },
    { question: 'returns', symbol: 'BTCUSD', exchange: 'archive', at: '2021-01-01', by: 'year' },
    { question: 'correlate', symbols: ['recorded:spot:BTCUSD', 'ETHUSD', 'ADAUSD'] },
    { question: 'percentiles', symbol: 'ADAUSD', fromCandles: true, over: '60d' },
    { question: 'profile', symbol: 'BTCUSD', over: '60d', ...spot },
    { question: 'profile', symbol: 'BTCUSD', exchange: 'archive', at: '2021-01-01', over: '2y' },
    { question: 'compare', symbols: ['ETHUSD', 'ADAUSD'], from: '2018-02-01', to: '2018-03-01' },
  ])('answers %j as from everything in memory', async (question) => {
    const found = await answered(question);
    const expected = await inMemory(question);
    if (question.question === 'compare') {
      // Percentiles come from ticks, and there are none in this window.
      expect(found).toMatchObject({ series: [{ percentiles: null }, { percentiles: null }] });
    }
    expectClose(found, expected);
  });

  it.each<QuestionInput>([
    { question: 'volatile', over: '7d' },
    { question: 'volatile', over: '60d', top: 2 },
    { question: 'volatile', exchange: 'archive', at: '2021-01-01', over: '1y' },
    { question: 'volatile', from: '2018-02-01', to: '2018-02-20' },
  ])('answers %j as from everything in memory', async (question) => {
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
