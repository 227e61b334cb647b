import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CandleObject, candleObjectKey } from '../../../core/lake/candle-objects.ts';
import type { RecordedPrices } from '../../../core/market/candle.ts';
import type { Category } from '../../../core/market/series.ts';
import { HOUR_MS } from '../../../core/market/time.ts';
import { readCandleObject } from '../../../core/operate/backfill/recorded-candles.ts';
import type { CandleApi } from '../../../exchanges/exchange.ts';
import { exchangeCandles, whyNoCandles } from '../../../exchanges/http/candle-source.ts';
import { EXCHANGES } from '../../../exchanges/registry.ts';
import { recordedPayload } from '../../samples/recorded-payloads.ts';
import { CANDLE_PATHS, recordedHours, SYMBOLS, serveCandles } from './candle-server.ts';
import { ExchangeServer } from './exchange-server.ts';

type Name = 'bybit' | 'binance' | 'okx' | 'kraken' | 'coinbase';
const candlesOf = (name: Name) => EXCHANGES.find((each) => each.name === name)?.candles as CandleApi;
const open = (name: Name) => exchangeCandles('any').source(name, server.url);
const soon = () => Date.now() + 10_000;

const IN_ORDER = { start: 0, open: 1, high: 2, low: 3, close: 4, volume: 5 };

/** A documented candle of each exchange, its place in the answer, and the request for the first two hours of 2020. */
const CONTRACTS: {
  name: Name;
  category: Category;
  payload: string;
  symbol: string;
  rows: (payload: unknown) => unknown[][];
  /** Where a row has the start and the prices. */
  places: Record<'start' | 'open' | 'high' | 'low' | 'close' | 'volume', number>;
  expected: RecordedPrices;
  path: string;
  pair: { base: string; quote: string };
}[] = [
  {
    name: 'bybit',
    category: 'inverse',
    payload: 'bybit-v5-kline',
    symbol: 'BTCUSD',
    rows: (payload) => (payload as { result: { list: unknown[][] } }).result.list,
    places: IN_ORDER,
    expected: {
      ...{ startMs: 1_670_601_600_000, open: 17086.5, high: 17088, low: 16978, close: 17071.5 },
      // An inverse contract counts its volume in dollars.
      ...{ volume: 0.37288112, turnover: 6356 },
    },
    path: '/v5/market/kline?category=inverse&symbol=BTCUSD&interval=60&start=1577836800000&end=1577843999999&limit=1000',
    pair: { base: 'BTC', quote: 'USD' },
  },
  {
    name: 'binance',
    category: 'spot',
    payload: 'binance-klines',
    symbol: 'ETHBTC',
    rows: (payload) => payload as unknown[][],
    places: IN_ORDER,
    expected: {
      ...{ startMs: 1_499_040_000_000, open: 0.0163479, high: 0.8, low: 0.015758, close: 0.015771 },
      ...{ volume: 148_976.11427815, turnover: 2_434.19055334 },
    },
    path: '/api/v3/klines?symbol=ETHBTC&interval=1h&startTime=1577836800000&endTime=1577843999999&limit=1000',
    pair: { base: 'ETH', quote: 'BTC' },
  },
  {
    name: 'binance',
    category: 'linear',
    payload: 'binance-klines',
    symbol: 'BTCUSDT',
    rows: (payload) => payload as unknown[][],
    places: IN_ORDER,
    expected: {
      ...{ startMs: 1_499_040_000_000, open: 0.0163479, high: 0.8, low: 0.015758, close: 0.015771 },
      ...{ volume: 148_976.11427815, turnover: 2_434.19055334 },
    },
    path: '/fapi/v1/klines?symbol=BTCUSDT&interval=1h&startTime=1577836800000&endTime=1577843999999&limit=1000',
    pair: { base: 'BTC', quote: 'USDT' },
  },
  {
    name: 'okx',
    category: 'linear',
    payload: 'okx-history-candles',
    symbol: 'BTC-USDT-SWAP',
    rows: (payload) => (payload as { data: unknown[][] }).data,
    places: { ...IN_ORDER, volume: 6 },
    expected: {
      ...{ startMs: 1_597_024_800_000, open: 3.731, high: 3.799, low: 3.494, close: 3.72 },
      ...{ volume: 67_632_347.24399722, turnover: 37_632_347.24399722 },
    },
    path: '/api/v5/market/history-candles?instId=BTC-USDT-SWAP&bar=1H&after=1577844000000&before=1577836799999&limit=100',
    pair: { base: 'BTC', quote: 'USDT' },
  },
  {
    name: 'kraken',
    category: 'spot',
    payload: 'kraken-ohlc',
    symbol: 'XXBTZUSD',
    rows: (payload) => (payload as { result: { XXBTZUSD: unknown[][] } }).result.XXBTZUSD,
    places: { ...IN_ORDER, volume: 6 },
    expected: {
      ...{ startMs: 1_688_670_000_000, open: 30306.1, high: 30306.2, low: 30305.7, close: 30305.7 },
      ...{ volume: 3.39243896, turnover: 30306.1 * 3.39243896 },
    },
    path: '/0/public/OHLC?pair=XXBTZUSD&interval=60&since=1577836799',
    pair: { base: 'BTC', quote: 'USD' },
  },
  {
    name: 'coinbase',
    category: 'spot',
    payload: 'coinbase-candles',
    symbol: 'BTC-USD',
    rows: (payload) => payload as unknown[][],
    places: { start: 0, low: 1, high: 2, open: 3, close: 4, volume: 5 },
    expected: { startMs: 1_415_397_600_000, open: 0.35, high: 4.2, low: 0.32, close: 4.2, volume: 12.3 },
    path: '/products/BTC-USD/candles?granularity=3600&start=2020-01-01T00%3A00%3A00.000Z&end=2020-01-01T01%3A00%3A00.000Z',
    pair: { base: 'BTC', quote: 'USD' },
  },
];

const server = new ExchangeServer();
let history: RecordedPrices[];
beforeAll(async () => {
  await server.start();
  history = await recordedHours();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.serve({});
  serveCandles(server, { candles: history });
});
afterEach(() => server.routes.clear());

describe.each(CONTRACTS)('The candles of $name, $category,', (contract) => {
  const { name, category, payload, symbol, rows, places, expected } = contract;
  const exchange = candlesOf(name);
  const read = (value: unknown) => exchange.shapeOf(symbol).safeParse(value);

  it('are requested as its API documents', () => {
    const fromMs = Date.UTC(2020, 0, 1);
    const { path } = exchange.request({ category, symbol, fromMs, toMs: fromMs + 2 * HOUR_MS });
    expect(path).toBe(contract.path);
  });

  it('are read from the documented answer, oldest first', () => {
    const found = read(recordedPayload(payload)).data;
    expect(found?.[0]).toEqual(expected);
    expect(found?.map(({ startMs }) => startMs)).toEqual(found?.map(({ startMs }) => startMs).toSorted());
  });

  it.each<[string, Partial<typeof places>, unknown, RegExp]>([
    ['an invalid start', { start: 0 }, 'soon', /expected a time/],
    ['a price that is not a number', { open: 0 }, 'much', /open: expected a decimal number, got "much"/],
    ['a price of 0', { low: 0 }, '0', /low: expected a price above 0/],
    ['an empty price', { open: 0 }, '', /open: expected a price above 0/],
    ['no price', { close: 0 }, null, /close: expected a price above 0/],
    ['a negative price', { high: 0 }, '-1', /high: expected a price above 0/],
    ['a low above the close', { low: 0 }, '99999999', /low <= open, close <= high/],
    ['a negative volume', { volume: 0 }, '-1', /expected an amount of 0 or more/],
  ])('are refused with %s', (_, field, value, message) => {
    const changed = recordedPayload(payload);
    const row = rows(changed)[0] as unknown[];
    row[places[Object.keys(field)[0] as keyof typeof places]] = value;
    const issues = read(changed).error?.issues ?? [];
    expect(issues.map(({ path, message }) => `${String(path.at(-1))}: ${message}`).join()).toMatch(message);
  });

  it.each([null, {}, [], 'x', { result: 1, data: 1 }])(
    'of another shape (%j) are refused or empty',
    (value) => {
      expect(read(value).data ?? []).toEqual([]);
    },
  );

  it('come with base and quote', async () => {
    server.answerFirst(contract.path.replace(/\?.*/, ''), { body: recordedPayload(payload) });
    const hour = { fromMs: expected.startMs, toMs: expected.startMs + HOUR_MS };
    const page = await open(name).page({ category, symbol, ...hour }, soon());
    expect(page).toEqual({ raw: recordedPayload(payload), rows: [expected], moved: 0, pair: contract.pair });
  });

  it('are the others, if an outage moved one off the hour', async () => {
    const moved = recordedPayload(payload);
    const all = read(recordedPayload(payload)).data ?? [];
    const row = rows(moved)[0] as unknown[];
    const start = Number(row[places.start]) + 1;
    row[places.start] = typeof row[places.start] === 'string' ? String(start) : start;
    server.answerFirst(contract.path.replace(/\?.*/, ''), { body: moved });
    const range = { fromMs: all[0]?.startMs ?? 0, toMs: (all.at(-1)?.startMs ?? 0) + HOUR_MS };
    const page = await open(name).page({ category, symbol, ...range }, soon());
    expect(page).toMatchObject({ raw: moved, moved: 1 });
    expect(page.rows).toHaveLength(all.length - 1);
    const ends = { firstMs: range.fromMs, lastMs: range.toMs - HOUR_MS };
    const object = { exchange: name, category, symbol, hours: 1 as const, ...ends, format: exchange.format };
    expect(readCandleObject(object, JSON.stringify(moved), exchangeCandles('any'))).toEqual(page.rows);
  });

  it('are read back from the lake, without the hours that were not requested', () => {
    const object: CandleObject = {
      exchange: name,
      category,
      symbol,
      hours: 1,
      firstMs: expected.startMs,
      lastMs: expected.startMs,
      format: exchange.format,
    };
    expect(candleObjectKey(object)).toContain(`.${exchange.format}.json.gz`);
    expect(
      readCandleObject(object, JSON.stringify(recordedPayload(payload)), exchangeCandles('any')),
    ).toEqual([expected]);
  });
});

const NAMES: Name[] = ['bybit', 'binance', 'okx', 'kraken', 'coinbase'];

describe.each(NAMES)('The candles of %s, from a server that speaks its API,', (name) => {
  const symbol = SYMBOLS[name];
  const market = { category: 'spot' as const, symbol };
  const someHours = () => ({ ...market, fromMs: history[0]?.startMs ?? 0, toMs: history[9]?.startMs ?? 0 });

  it('cover every hour of several pages exactly once', async () => {
    const source = open(name);
    const pageMs = source.pageHours * HOUR_MS;
    const [fromMs, toMs] = [history.at(-700)?.startMs ?? 0, history.at(-1)?.startMs ?? 0];
    const rows: RecordedPrices[] = [];
    for (let startMs = fromMs; startMs < toMs; startMs += pageMs) {
      const page = { ...market, fromMs: startMs, toMs: Math.min(toMs, startMs + pageMs) };
      rows.push(...(await source.page(page, soon())).rows);
    }
    const traded = { volume: 1, ...(name === 'coinbase' ? {} : { turnover: 1 }) };
    expect(rows).toEqual(history.slice(-700, -1).map((each) => ({ ...each, ...traded })));
    const asked = server.paths().filter((path) => path.startsWith(CANDLE_PATHS[name]));
    expect(asked).toHaveLength(Math.ceil(699 / source.pageHours));
  });

  it('are none before the market existed, which is not an error', async () => {
    const fromMs = Date.UTC(2010, 0, 1);
    const { rows } = await open(name).page({ ...market, fromMs, toMs: fromMs + 50 * HOUR_MS }, soon());
    expect(rows).toEqual([]);
  });

  it('are not requested again before a rate limit ends', async () => {
    const source = open(name);
    server.answerFirst(CANDLE_PATHS[name], { status: 429, headers: { 'retry-after': '60' }, body: {} });
    const attempt = () => source.page(someHours(), soon());
    await expect(attempt()).rejects.toMatchObject({ name: 'RateLimitedError' });
    await expect(attempt()).rejects.toMatchObject({ name: 'RateLimitedError' });
    expect(server.paths().filter((path) => path.startsWith(CANDLE_PATHS[name]))).toHaveLength(1);
  });

  it('are refused for an unknown symbol', async () => {
    const page = { ...market, symbol: 'NONSUCH', fromMs: 0, toMs: HOUR_MS };
    const answer = open(name).page(page, soon());
    await expect(answer).rejects.toMatchObject({ name: 'SourceRefusedError' });
  });

  it('fail on an answer that is not JSON', async () => {
    server.answerFirst(CANDLE_PATHS[name], { body: '<html>' });
    const answer = open(name).page(someHours(), soon());
    await expect(answer).rejects.toMatchObject({
      name: 'WrongPayloadError',
      message: expect.stringContaining('is not JSON'),
    });
  });
});

it('OKX: a spot market counts its volume in the base currency', () => {
  const row = ['1597024800000', '3.731', '3.799', '3.494', '3.72', '10', '37.2', '37.2', '1'];
  const [candle] = candlesOf('okx')
    .shapeOf('LINK-USDT')
    .parse({ data: [row] });
  expect(candle).toMatchObject({ volume: 10, turnover: 37.2 });
});

describe('Kraken', () => {
  const fetchPage = (symbol: string, fromMs: number, toMs: number) =>
    open('kraken').page({ category: 'spot', symbol, fromMs, toMs }, soon());
  const endMs = () => history.at(-1)?.startMs ?? 0;
  const keptFromMs = () => history.at(-720)?.startMs ?? 0;

  it('reports how far back its candles go if older ones were requested', async () => {
    const page = await fetchPage(SYMBOLS.kraken, Date.UTC(2018, 0, 1), endMs());
    expect(page.keptFromMs).toBe(keptFromMs());
    expect(page.rows).toHaveLength(719);
  });

  it('reports nothing if it has everything that was requested', async () => {
    expect(await fetchPage(SYMBOLS.kraken, keptFromMs(), endMs())).not.toHaveProperty('keptFromMs');
  });

  it('insists on the name that its tickers use, or the candles would be another series', async () => {
    await expect(fetchPage('XBTUSD', keptFromMs(), endMs())).rejects.toThrow(
      /Kraken's tickers call XBTUSD XXBTZUSD; use that name/,
    );
  });
});

it('OKX: a running hour is not a candle yet', async () => {
  const fromMs = history.at(-1)?.startMs ?? 0;
  const page = { category: 'spot' as const, symbol: SYMBOLS.okx, fromMs, toMs: fromMs + HOUR_MS };
  await expect(open('okx').page(page, soon())).rejects.toThrow(/is not closed yet/);
});

it('Binance’s list of instruments overrides the spelling', async () => {
  server.serve({
    '/api/v3/klines': [],
    '/api/v3/exchangeInfo': { symbols: [{ symbol: 'USDTUSDC', baseAsset: 'US', quoteAsset: 'DTUSDC' }] },
  });
  const page = { category: 'spot' as const, symbol: 'USDTUSDC', fromMs: 0, toMs: HOUR_MS };
  const { pair } = await open('binance').page(page, soon());
  expect(pair).toEqual({ base: 'US', quote: 'DTUSDC' });
});

describe('the reason why candles cannot be fetched', () => {
  it.each([
    ['kraken', 'linear', 'kraken has no linear candles; it has spot'],
    ['coinbase', 'option', 'coinbase has no option candles; it has spot'],
    ['mtgox', 'spot', 'the history of mtgox cannot be fetched; choose bybit, binance, okx, kraken, coinbase'],
    ['constructor', 'spot', 'the history of constructor cannot be fetched'],
  ] as const)('of %s %s says what there is instead', (exchange, category, message) => {
    expect(whyNoCandles(exchange, category)).toContain(message);
  });

  it('is undefined if they can', () => {
    expect(whyNoCandles('okx', 'inverse')).toBeUndefined();
  });
});
