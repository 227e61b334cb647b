import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Category } from '../../../../core/market/series.ts';
import { bybit } from '../../../../exchanges/bybit/bybit.ts';
import { bybitV5 } from '../../../../exchanges/bybit/v5.ts';
import { type ExchangeResponse, failureOf } from '../../../../exchanges/http/failures.ts';
import { recordedBybitV5 } from '../../../samples/recorded-payloads.ts';
import { SLOT } from '../../../samples/tickers.ts';
import { RECEIVED_AT, tickersFrom } from '../offline.ts';

const CONTEXT = { url: 'https://api.example/v5/market/tickers', nowMs: Date.parse(RECEIVED_AT) };

const read = (category: Category, json: unknown) =>
  tickersFrom(bybitV5, category, { [`/v5/market/tickers?category=${category}`]: json });

function failureIn(json: unknown, status = 200) {
  const response: ExchangeResponse = { status, header: () => undefined, body: new Uint8Array(), json };
  return failureOf(bybit, response, CONTEXT);
}

describe('Bybit v5', () => {
  it('reads the recorded spot payload', async () => {
    expect(await read('spot', recordedBybitV5('spot'))).toEqual({
      rejected: [],
      tickers: [
        {
          v: 1,
          exchange: 'bybit',
          category: 'spot',
          symbol: 'BTCUSDT',
          base: 'BTC',
          quote: 'USDT',
          slot: SLOT,
          timestamp: '2023-01-16T08:51:27.947Z',
          received_at: RECEIVED_AT,
          bid_price: 20517.96,
          bid_size: 2,
          ask_price: 20527.77,
          ask_size: 1.862172,
          last_price: 20533.13,
          prev_price_24h: 20393.48,
          price_24h_pcnt: 0.0068,
          high_price_24h: 21128.12,
          low_price_24h: 20318.89,
          turnover_24h: 243765620.65899867,
          volume_24h: 11801.27771,
          usd_index_price: 20784.12009279,
        },
      ],
    });
  });

  it('reads the recorded inverse payload, in which "" and a delivery time of 0 mean absent', async () => {
    expect(await read('inverse', recordedBybitV5('inverse'))).toEqual({
      rejected: [],
      tickers: [
        {
          v: 1,
          exchange: 'bybit',
          category: 'inverse',
          symbol: 'BTCUSD',
          base: 'BTC',
          quote: 'USD',
          slot: SLOT,
          timestamp: '2025-10-13T10:46:09.814Z',
          received_at: RECEIVED_AT,
          last_price: 120635.5,
          index_price: 114890.92,
          mark_price: 114898.43,
          prev_price_24h: 105595.9,
          price_24h_pcnt: 0.142425,
          high_price_24h: 131309.3,
          low_price_24h: 102007.6,
          prev_price_1h: 119806.1,
          open_interest: 240113967,
          open_value: 2089.79,
          turnover_24h: 115.6907,
          volume_24h: 13713832,
          funding_rate: 0.0001,
          next_funding_time: '2025-10-13T16:00:00.000Z',
          ask_size: 9854,
          bid_price: 103401,
          ask_price: 109152.8,
          bid_size: 1063,
          funding_interval_hours: 8,
          funding_cap: 0.005,
        },
      ],
    });
  });

  it('reads a linear payload of the same fields', async () => {
    expect(await read('linear', recordedBybitV5('linear'))).toMatchObject({
      rejected: [],
      tickers: [{ category: 'linear', symbol: 'BTCUSDT', base: 'BTC', quote: 'USDT', last_price: 120635.5 }],
    });
  });

  it('reads a time in text', async () => {
    const payload = { ...recordedBybitV5('spot'), time: '1673859087947' };
    expect((await read('spot', payload)).tickers[0]?.timestamp).toBe('2023-01-16T08:51:27.947Z');
  });

  it('reads the recorded option payload, in which a bid of "0" means that there is none', async () => {
    const path = '/v5/market/tickers?category=option&baseCoin=BTC';
    const { tickers, warning } = await tickersFrom(bybitV5, 'option', { [path]: recordedBybitV5('option') });
    const [option] = tickers;
    expect(warning).toBeUndefined();
    // 86 of 435, not 8,600 %.
    expect(option).toMatchObject({ prev_price_24h: 349, price_24h_pcnt: 435 / 349 - 1 });
    expect(option).toMatchObject({
      symbol: 'BTC-30DEC22-18000-C',
      base: 'BTC',
      mark_price: 0.00000009,
      theta: -0.00000152,
      bid_iv: 0,
    });
    expect(option).not.toHaveProperty('bid_price');
  });

  it('requests the options of each coin, and reports which are missing', async () => {
    const tickers = '/v5/market/tickers?category=option&baseCoin=';
    const listed = (symbol: string) => ({
      symbol,
      baseCoin: symbol.slice(0, 3),
      quoteCoin: 'USDT',
      status: 'Trading',
    });
    const list = [
      listed('BTC-27MAR26-90000-C-USDT'),
      listed('ETH-27MAR26-3000-P-USDT'),
      listed('SOL-27MAR26-200-C-USDT'),
    ];
    const answerFor = (symbol: string, change24h: string) => {
      const payload = recordedBybitV5('option');
      payload.result.list = payload.result.list.map((each) => ({ ...(each as object), symbol, change24h }));
      return payload;
    };
    const batch = await tickersFrom(bybitV5, 'option', {
      '/v5/market/instruments-info': { retCode: 0, result: { list, nextPageCursor: '' } },
      [`${tickers}BTC`]: answerFor('BTC-27MAR26-90000-C-USDT', '-0.125'),
      [`${tickers}ETH`]: answerFor('ETH-27MAR26-3000-P-USDT', ''),
    });
    expect(batch.tickers).toMatchObject([
      { symbol: 'BTC-27MAR26-90000-C-USDT', base: 'BTC', quote: 'USDT', price_24h_pcnt: -0.125 },
      { symbol: 'ETH-27MAR26-3000-P-USDT', base: 'ETH', quote: 'USDT' },
    ]);
    expect(batch.tickers[1]).not.toHaveProperty('price_24h_pcnt');
    expect(batch.warning).toMatch(/^the options of 1 coins are missing: not found/);
  });

  it('reads an empty list', async () => {
    const payload = recordedBybitV5('spot');
    payload.result.list = [];
    expect(await read('spot', payload)).toEqual({ tickers: [], rejected: [] });
  });

  it.each([
    ['no result', (p: Record<string, unknown>) => delete p.result, /result/],
    ['no list', (p: Record<string, unknown>) => delete (p.result as Record<string, unknown>).list, /list/],
    [
      'a list that is an object',
      (p: Record<string, unknown>) => ((p.result as { list: unknown }).list = {}),
      /list/,
    ],
    ['no time', (p: Record<string, unknown>) => delete p.time, /time/],
    ['a time that is none', (p: Record<string, unknown>) => (p.time = 'now'), /time/],
    ['a time after the year 9999', (p: Record<string, unknown>) => (p.time = 253402300800000), /time/],
  ])('names the first difference of an envelope with %s', async (_, spoil, difference) => {
    const payload = recordedBybitV5('spot') as unknown as Record<string, unknown>;
    spoil(payload);
    await expect(read('spot', payload)).rejects.toThrow(difference);
  });

  it('refuses an answer for another category', async () => {
    await expect(read('linear', recordedBybitV5('spot'))).rejects.toThrow('linear');
  });

  it('fails with a message, whatever JSON it gets', async () => {
    const envelope = fc.record(
      {
        retCode: fc.oneof(fc.constant(0), fc.jsonValue()),
        retMsg: fc.oneof(fc.string(), fc.jsonValue()),
        result: fc.oneof(
          fc.jsonValue(),
          fc.record({
            category: fc.constant('spot'),
            list: fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())),
          }),
        ),
        time: fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), envelope), async (json) => {
        failureIn(json);
        try {
          await read('spot', json);
        } catch (error) {
          expect((error as Error).message).not.toBe('');
          expect((error as Error).name).toMatch(/^(ZodError|Error)$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('keeps every number of a payload exactly', async () => {
    const price = fc.double({ min: 1e-12, max: 1e12, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.array(price, { minLength: 1, maxLength: 50 }), async (prices) => {
        const payload = recordedBybitV5('spot');
        payload.result.list = prices.map((last, index) => ({
          symbol: `C${index}USDT`,
          lastPrice: String(last),
        }));
        const { tickers } = await read('spot', payload);
        expect(tickers.map(({ last_price }) => last_price)).toEqual(prices);
      }),
    );
  });

  it('recognises a success', () => {
    expect(failureIn(recordedBybitV5('spot'))).toBeUndefined();
  });

  it('recognises a failure code in an answer of status 200', () => {
    expect(failureIn({ retCode: 10001, retMsg: 'params error' })).toMatchObject({
      name: 'SourceRefusedError',
      message: expect.stringContaining('code 10001: params error'),
    });
  });

  it('gives the status precedence over a successful body', () => {
    expect(failureIn(recordedBybitV5('spot'), 502)).toMatchObject({ name: 'SourceUnavailableError' });
  });
});
