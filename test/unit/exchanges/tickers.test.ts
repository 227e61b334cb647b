import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CategoryOutcome } from '../../../core/ingest/ports.ts';
import { type Category, formatSeries } from '../../../core/market/series.ts';
import { type Ticker, tickerSchema } from '../../../core/market/ticker.ts';
import { createSource } from '../../../exchanges/http/ticker-source.ts';
import { sourceNamed } from '../../../exchanges/source-config.ts';
import { recordedBybitV5, recordedPayload } from '../../samples/recorded-payloads.ts';
import { SLOT } from '../../samples/tickers.ts';
import { ExchangeServer } from './exchange-server.ts';

type Payloads = Record<string, unknown>;
/** A value's place: the payload's path, then the keys to follow. */
type Place = [path: string, ...way: (string | number)[]];

/** One category of an exchange: documented payloads, and where things are in them. */
interface Case {
  source: string;
  category: Category;
  payloads: () => Payloads;
  ticker: Partial<Ticker>;
  /** Otherwise the ticker has the time of receipt. */
  saysTime: boolean;
  /** Everywhere the last price appears. */
  price: Place[];
  volume: Place;
  /** The list of tickers and the field with the symbol, if there is a list. */
  list?: Place;
  symbolField?: string;
}

const CASES: Case[] = [
  {
    source: 'bybit',
    category: 'spot',
    payloads: () => ({ '/v5/market/tickers?category=spot': recordedBybitV5('spot') }),
    ticker: {
      symbol: 'BTCUSDT',
      base: 'BTC',
      quote: 'USDT',
      timestamp: '2023-01-16T08:51:27.947Z',
      last_price: 20533.13,
      price_24h_pcnt: 0.0068,
    },
    saysTime: true,
    price: [['/v5/market/tickers?category=spot', 'result', 'list', 0, 'lastPrice']],
    volume: ['/v5/market/tickers?category=spot', 'result', 'list', 0, 'volume24h'],
    list: ['/v5/market/tickers?category=spot', 'result', 'list'],
    symbolField: 'symbol',
  },
  {
    source: 'bybit-v2',
    category: 'inverse',
    payloads: () => ({ '/v2/public/tickers': recordedPayload('bybit-v2') }),
    ticker: {
      symbol: 'BTCUSD',
      base: 'BTC',
      quote: 'USD',
      timestamp: '2019-08-29T20:10:19.049Z',
      last_price: 9499.5,
      price_24h_pcnt: -0.02,
    },
    saysTime: true,
    price: [['/v2/public/tickers', 'result', 0, 'last_price']],
    volume: ['/v2/public/tickers', 'result', 0, 'volume_24h'],
    list: ['/v2/public/tickers', 'result'],
    symbolField: 'symbol',
  },
  {
    source: 'binance',
    category: 'spot',
    payloads: () => ({
      '/api/v3/ticker/24hr': recordedPayload('binance-ticker-24hr'),
      '/api/v3/exchangeInfo': recordedPayload('binance-exchange-info'),
    }),
    ticker: {
      symbol: 'BNBBTC',
      base: 'BNB',
      quote: 'BTC',
      timestamp: '2017-07-12T14:31:39.040Z',
      last_price: 4.000002,
      bid_price: 4,
      bid_size: 100,
      ask_price: 4.000002,
      ask_size: 100,
      prev_price_24h: 99,
      high_price_24h: 100,
      low_price_24h: 0.1,
      price_24h_pcnt: -0.9596,
      volume_24h: 8913.3,
      turnover_24h: 15.3,
    },
    saysTime: true,
    price: [['/api/v3/ticker/24hr', 0, 'lastPrice']],
    volume: ['/api/v3/ticker/24hr', 0, 'volume'],
    list: ['/api/v3/ticker/24hr'],
    symbolField: 'symbol',
  },
  {
    source: 'binance',
    category: 'linear',
    payloads: () => ({
      '/fapi/v1/ticker/24hr': recordedPayload('binance-futures-ticker-24hr'),
      '/fapi/v1/premiumIndex': recordedPayload('binance-futures-premium-index'),
      '/fapi/v1/exchangeInfo': recordedPayload('binance-futures-exchange-info'),
    }),
    ticker: {
      symbol: 'BTCUSDT',
      base: 'BTC',
      quote: 'USDT',
      timestamp: '2017-07-12T14:31:39.040Z',
      last_price: 4.000002,
      prev_price_24h: 99,
      high_price_24h: 100,
      low_price_24h: 0.1,
      price_24h_pcnt: -0.9596,
      volume_24h: 8913.3,
      turnover_24h: 15.3,
      mark_price: 11793.63104562,
      index_price: 11781.8049597,
      funding_rate: 0.00038246,
      next_funding_time: '2020-08-14T08:00:00.000Z',
    },
    saysTime: true,
    price: [['/fapi/v1/ticker/24hr', 0, 'lastPrice']],
    volume: ['/fapi/v1/ticker/24hr', 0, 'volume'],
    list: ['/fapi/v1/ticker/24hr'],
    symbolField: 'symbol',
  },
  {
    source: 'okx',
    category: 'spot',
    payloads: () => ({ '/api/v5/market/tickers?instType=SPOT': recordedPayload('okx-tickers') }),
    ticker: {
      symbol: 'ETH-BTC',
      base: 'ETH',
      quote: 'BTC',
      timestamp: '2021-05-19T16:09:43.784Z',
      last_price: 0.07319,
      bid_price: 0.0732,
      bid_size: 6.050058,
      ask_price: 0.07322,
      ask_size: 4.2,
      prev_price_24h: 0.07801,
      high_price_24h: 0.07975,
      low_price_24h: 0.06019,
      price_24h_pcnt: 0.07319 / 0.07801 - 1,
      volume_24h: 167493.829229,
      turnover_24h: 11788.887619,
    },
    saysTime: true,
    price: [['/api/v5/market/tickers?instType=SPOT', 'data', 0, 'last']],
    volume: ['/api/v5/market/tickers?instType=SPOT', 'data', 0, 'vol24h'],
    list: ['/api/v5/market/tickers?instType=SPOT', 'data'],
    symbolField: 'instId',
  },
  ...(['inverse', 'linear'] as const).map(
    (category, position): Case => ({
      source: 'okx',
      category,
      payloads: () => ({ '/api/v5/market/tickers?instType=SWAP': recordedPayload('okx-tickers-swap') }),
      ticker: {
        symbol: category === 'inverse' ? 'LTC-USD-SWAP' : 'BTC-USDT-SWAP',
        base: category === 'inverse' ? 'LTC' : 'BTC',
        quote: category === 'inverse' ? 'USD' : 'USDT',
        timestamp: '2020-08-10T02:26:23.085Z',
        last_price: 9999.99,
        bid_price: 8888.88,
        bid_size: 5,
        ask_price: 9999.99,
        ask_size: 11,
        prev_price_24h: 9000,
        high_price_24h: 10000,
        low_price_24h: 8888.88,
        price_24h_pcnt: 9999.99 / 9000 - 1,
        volume_24h: 2222,
        ...(category === 'inverse' ? { turnover_24h: 2222 } : {}),
      },
      saysTime: true,
      price: [['/api/v5/market/tickers?instType=SWAP', 'data', position, 'last']],
      volume: [
        '/api/v5/market/tickers?instType=SWAP',
        'data',
        position,
        category === 'inverse' ? 'vol24h' : 'volCcy24h',
      ],
      list: ['/api/v5/market/tickers?instType=SWAP', 'data'],
      symbolField: 'instId',
    }),
  ),
  {
    source: 'kraken',
    category: 'spot',
    payloads: () => ({
      '/0/public/Ticker': recordedPayload('kraken-ticker'),
      '/0/public/AssetPairs': recordedPayload('kraken-asset-pairs'),
    }),
    ticker: {
      symbol: 'XXBTZUSD',
      base: 'BTC',
      quote: 'USD',
      last_price: 3809.6,
      bid_price: 3809,
      bid_size: 1,
      ask_price: 3809.1,
      ask_size: 1,
      high_price_24h: 3819.3,
      low_price_24h: 3775.8,
      volume_24h: 4120.69226171,
    },
    saysTime: false,
    price: [['/0/public/Ticker', 'result', 'XXBTZUSD', 'c', 0]],
    volume: ['/0/public/Ticker', 'result', 'XXBTZUSD', 'v', 1],
  },
  {
    source: 'coinbase',
    category: 'spot',
    payloads: () => ({
      '/products': recordedPayload('coinbase-products'),
      '/products/BTC-USD/ticker': recordedPayload('coinbase-ticker'),
      '/products/BTC-USD/stats': recordedPayload('coinbase-stats'),
    }),
    ticker: {
      symbol: 'BTC-USD',
      base: 'BTC',
      quote: 'USD',
      timestamp: '2020-03-20T00:22:57.833Z',
      last_price: 6268.48,
      bid_price: 6265.15,
      ask_price: 6267.71,
      prev_price_24h: 5414.18,
      high_price_24h: 6441.37,
      low_price_24h: 5261.69,
      price_24h_pcnt: 6268.48 / 5414.18 - 1,
      volume_24h: 53602.03940154,
    },
    saysTime: true,
    price: [
      ['/products/BTC-USD/ticker', 'price'],
      ['/products/BTC-USD/stats', 'last'],
    ],
    volume: ['/products/BTC-USD/ticker', 'volume'],
  },
];

/** Changes a value of the payloads. */
function put(payloads: Payloads, place: Place, value: unknown): void {
  const way = place.slice(0, -1);
  const holder = way.reduce<unknown>((inside, step) => (inside as Payloads)[step], payloads);
  (holder as Payloads)[place.at(-1) as string] = value;
}
const at = (payloads: Payloads, place: Place): unknown =>
  place.reduce<unknown>((inside, step) => (inside as Payloads)[step], payloads);

const server = new ExchangeServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

describe.each(CASES)('Tickers of $source, $category:', (contract) => {
  const { source, category, ticker: expected, price, volume, list, symbolField } = contract;

  async function fetchOutcome(payloads: Payloads): Promise<CategoryOutcome> {
    server.serve(payloads);
    const config = { ...sourceNamed(source), categories: [category] };
    const [outcome] = await createSource(config, { baseUrl: server.url }).fetch([category], {
      slot: SLOT,
      deadlineMs: Date.now() + 5_000,
    });
    if (!outcome) throw new Error('no outcome');
    return outcome;
  }
  async function fetchBatch(spoil: (payloads: Payloads) => void = () => {}) {
    const payloads = contract.payloads();
    spoil(payloads);
    const outcome = await fetchOutcome(payloads);
    if ('error' in outcome) throw outcome.error;
    return outcome.batch;
  }
  const withPrice = (value: unknown) =>
    fetchBatch((payloads) => {
      for (const place of price) put(payloads, place, value);
    });

  it('the documented payload gives the expected ticker, in our units', async () => {
    const { tickers, rejected } = await fetchBatch();
    const [ticker] = tickers;
    expect(rejected).toEqual([]);
    expect(tickers).toHaveLength(1);
    expect(ticker).toMatchObject(expected);
    expect(tickerSchema.parse(ticker)).toEqual(ticker);
    if (!['bybit', 'bybit-v2'].includes(source)) {
      const common = ['v', 'exchange', 'category', 'slot', 'received_at', 'timestamp'];
      expect(
        Object.keys(ticker ?? {})
          .filter((field) => !common.includes(field))
          .sort(),
      ).toEqual(
        Object.keys(expected)
          .filter((field) => !common.includes(field))
          .sort(),
      );
    }
  });

  it('a ticker has its series, slot, receipt and the exchange’s own time if there is one', async () => {
    const before = new Date().toISOString();
    const [ticker] = (await fetchBatch()).tickers as [Ticker];
    expect(formatSeries(ticker)).toBe(`${sourceNamed(source).exchange}:${category}:${expected.symbol}`);
    expect(ticker.slot).toBe(SLOT);
    expect(ticker.received_at >= before && ticker.received_at <= new Date().toISOString()).toBe(true);
    expect(ticker.timestamp === ticker.received_at).toBe(!contract.saysTime);
  });

  it.each(['', null, '0', '0.00000000', 0])('a market with a last price of %j is absent', async (value) => {
    expect(await withPrice(value)).toMatchObject({
      tickers: [],
      rejected: [],
      absent: [{ symbol: expected.symbol, kind: 'untraded', reason: 'it has no price yet' }],
    });
  });

  it.each(['abc', 'NaN', '-1', {}, true, '1e999'])(
    'a last price of %j is rejected with a reason',
    async (value) => {
      const { tickers, rejected } = await withPrice(value);
      expect(tickers).toEqual([]);
      expect(rejected).toHaveLength(1);
      expect(rejected[0]?.reason).toMatch(/^\S+: /);
      expect(JSON.stringify(rejected[0]?.value)).toContain(JSON.stringify(value));
    },
  );

  it.each([
    ['0.000000000001234', 1.234e-12],
    ['123456789012345678', 123456789012345680],
    ['1e+30', 1e30],
    [42.5, 42.5],
  ])('a last price of %j is kept as it is', async (value, read) => {
    expect((await withPrice(value)).tickers[0]?.last_price).toBe(read);
  });

  it.each(['', null])('a volume of %j is left out', async (value) => {
    const { tickers } = await fetchBatch((payloads) => put(payloads, volume, value));
    expect(tickers[0]).toMatchObject({ last_price: expected.last_price });
    expect(tickers[0]).not.toHaveProperty('volume_24h', '');
    expect(tickers[0]).not.toHaveProperty('volume_24h', null);
  });

  it('a volume of 0 is kept, one that is not a number rejects the ticker', async () => {
    const none = await fetchBatch((payloads) => put(payloads, volume, '0'));
    expect(none.tickers[0]?.volume_24h).toBe(0);
    const wrong = await fetchBatch((payloads) => put(payloads, volume, 'much'));
    expect(wrong.tickers).toEqual([]);
    expect(wrong.rejected[0]?.reason).toContain('expected a decimal number, got "much"');
  });

  it('undocumented fields are ignored', async () => {
    const [path, ...way] = volume.slice(0, -1) as Place;
    const { tickers, rejected } = await fetchBatch((payloads) => {
      const holder = at(payloads, [path, ...way]);
      if (!Array.isArray(holder)) put(payloads, [path, ...way, 'lastPriceOnMars'], { a: [1] });
      else holder.push('one more');
    });
    expect(rejected).toEqual([]);
    expect(tickers).toEqual([expect.objectContaining(expected)]);
  });

  it('an answer of another shape is an error that keeps the body', async () => {
    const payloads = contract.payloads();
    const [path] = price[0] as Place;
    const outcome = await fetchOutcome({ ...payloads, [path]: 'hello' });
    if (source === 'coinbase') return; // the product's other answer is enough
    expect('error' in outcome && outcome.error).toMatchObject({
      name: 'WrongPayloadError',
      message: expect.stringContaining('is not JSON'),
      body: new TextEncoder().encode('hello'),
    });
  });

  if (!list) return; // the rest is about lists

  it('invalid entries are rejected, the others are kept', async () => {
    const { tickers, rejected } = await fetchBatch((payloads) => {
      const entries = at(payloads, list) as Payloads[];
      const first = entries.find((entry) => entry[symbolField as string] === expected.symbol);
      entries.push(null as never, { ...first, [symbolField as string]: 5 }, { ...first });
    });
    expect(tickers).toEqual([expect.objectContaining(expected)]);
    expect(rejected.map(({ reason }) => reason)).toEqual([
      'expected an object, got null',
      'symbol: expected text, got 5',
      `symbol: "${expected.symbol}" appears twice in one payload`,
    ]);
  });

  it('an empty list is an empty batch', async () => {
    const batch = await fetchBatch((payloads) => put(payloads, list, []));
    expect(batch).toEqual({ tickers: [], rejected: [] });
  });
});
