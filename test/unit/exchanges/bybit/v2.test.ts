import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Category } from '../../../../core/market/series.ts';
import { bybit } from '../../../../exchanges/bybit/bybit.ts';
import { bybitV2 } from '../../../../exchanges/bybit/v2.ts';
import { failureOf } from '../../../../exchanges/http/failures.ts';
import { recordedPayload } from '../../../samples/recorded-payloads.ts';
import { SLOT } from '../../../samples/tickers.ts';
import { RECEIVED_AT, tickersFrom } from '../offline.ts';

const CONTEXT = { url: 'https://api.example/v2/public/tickers', nowMs: Date.parse(RECEIVED_AT) };

interface BybitV2Payload {
  ret_code: number;
  ret_msg: string;
  result: unknown[];
  time_now: string;
}
const recorded = () => recordedPayload<BybitV2Payload>('bybit-v2');
const read = (json: unknown, category: Category, categories: Category[] = ['linear', 'inverse']) =>
  tickersFrom(bybitV2, category, { '/v2/public/tickers': json }, { categories });

describe('Bybit v2, the article’s endpoint', () => {
  it('reads the recorded payload, a mix of text and numbers', async () => {
    expect(await read(recorded(), 'inverse')).toEqual({
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
          timestamp: '2019-08-29T20:10:19.049Z',
          received_at: RECEIVED_AT,
          bid_price: 9499.5,
          ask_price: 9500,
          last_price: 9499.5,
          last_tick_direction: 'ZeroMinusTick',
          prev_price_24h: 9659,
          price_24h_pcnt: -0.02,
          high_price_24h: 9737,
          low_price_24h: 9322.5,
          prev_price_1h: 9469,
          price_1h_pcnt: 0,
          mark_price: 9509.24,
          index_price: 9509,
          open_interest: 78923133,
          open_value: 8078.86,
          total_turnover: 6540981.84,
          turnover_24h: 59236.52,
          total_volume: 62971273761,
          volume_24h: 564198332,
          funding_rate: 0,
          predicted_funding_rate: 0,
          next_funding_time: '2019-08-30T00:00:00.000Z',
        },
      ],
    });
  });

  it('distinguishes linear from inverse contracts by their settlement currency', async () => {
    const payload = recorded();
    payload.result = ['BTCUSDT', 'BTCUSD', 'ETHPERP', 'BTCUSDH22'].map((symbol) => ({
      symbol,
      last_price: 1,
    }));
    const symbols = async (category: Category) =>
      (await read(payload, category)).tickers.map(({ symbol }) => symbol);
    expect(await symbols('linear')).toEqual(['BTCUSDT', 'ETHPERP']);
    expect(await symbols('inverse')).toEqual(['BTCUSD', 'BTCUSDH22']);
  });

  it.each([[['linear', 'inverse']], [['linear']], [['inverse']]] as Category[][][])(
    'rejects an entry without a symbol once, polling %j',
    async (categories) => {
      const payload = recorded();
      payload.result = [null, { last_price: 1 }, 'BTCUSD'];
      const batches = await Promise.all(categories.map((category) => read(payload, category, categories)));
      expect(batches.flatMap(({ rejected }) => rejected).map(({ value }) => value)).toEqual(payload.result);
    },
  );

  it('returns only the requested category', async () => {
    expect(await read(recorded(), 'linear', ['linear'])).toEqual({ tickers: [], rejected: [] });
  });

  it('reads the envelope’s seconds to the millisecond', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1.5e12, max: 2.5e12 }),
        fc.integer({ min: 0, max: 999 }),
        async (ms, micros) => {
          const payload = recorded();
          const fraction = `${String(ms % 1_000).padStart(3, '0')}${String(micros).padStart(3, '0')}`;
          payload.time_now = `${Math.floor(ms / 1_000)}.${fraction}`;
          const { tickers } = await read(payload, 'inverse');
          expect(tickers[0]?.timestamp).toBe(new Date(ms).toISOString());
        },
      ),
    );
  });

  it.each([
    ['no list', { result: {} }, /result/],
    ['a time that is not a number', { time_now: 'now' }, /time_now/],
    ['an infinite time', { time_now: '9'.repeat(400) }, /time_now/],
  ])('names the first difference of an envelope with %s', async (_, wrong, difference) => {
    await expect(read({ ...recorded(), ...wrong }, 'inverse')).rejects.toThrow(difference);
  });

  it('fails with a message, whatever JSON it gets', async () => {
    const envelope = fc.record({
      ret_code: fc.constant(0),
      ret_msg: fc.constant('OK'),
      result: fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())),
      time_now: fc.oneof(fc.double().map(String), fc.jsonValue()),
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), envelope), async (json) => {
        try {
          await read(json, 'linear');
        } catch (error) {
          expect((error as Error).message).not.toBe('');
          expect((error as Error).name).toMatch(/^(ZodError|Error)$/);
        }
      }),
    );
  });

  it('recognises a failure code in an answer of status 200', () => {
    const json = { ret_code: 10006, ret_msg: 'Too many visits!', rate_limit_reset_ms: CONTEXT.nowMs + 700 };
    const response = { status: 200, header: () => undefined, body: new Uint8Array(), json };
    expect(failureOf(bybit, response, CONTEXT)).toMatchObject({
      name: 'RateLimitedError',
      retryAtMs: CONTEXT.nowMs + 700,
    });
  });
});
