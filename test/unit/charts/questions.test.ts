import { describe, expect, it } from 'vitest';
import { PICTURES } from '../../../charts/pictures/all.ts';
import { pictureNamed, pictureWindow, questionKey, searchOf } from '../../../charts/questions.ts';
import { PAGE_WINDOWS } from '../../../charts/windows.ts';
import { DAY_MS } from '../../../core/market/time.ts';

const AS_OF_MS = Date.parse('2018-07-08T00:00:00Z');

describe('the window of a picture', () => {
  it('is the usual one unless another is picked, and includes the current moment', () => {
    const picture = { usualWindow: '7d' } as const;
    expect(pictureWindow(picture, undefined, AS_OF_MS)).toEqual({
      fromMs: AS_OF_MS - 7 * DAY_MS,
      toMs: AS_OF_MS + 1,
    });
    expect(pictureWindow(picture, '30d', AS_OF_MS).fromMs).toBe(AS_OF_MS - 30 * DAY_MS);
  });

  it('is never shorter than the minimum of the picture', () => {
    const picture = { usualWindow: '1y', atLeastDays: 90 } as const;
    expect(pictureWindow(picture, '24h', AS_OF_MS).fromMs).toBe(AS_OF_MS - 90 * DAY_MS);
    expect(pictureWindow(picture, '2y', AS_OF_MS).fromMs).toBe(AS_OF_MS - 730 * DAY_MS);
  });
});

describe('the key of a question', () => {
  it('is the same for questions with the same answer', () => {
    const series = 'recorded:spot:BTCUSD';
    const other = 'recorded:spot:ETHUSD';
    const key = (picture: string, of: string, window?: (typeof PAGE_WINDOWS)[number]) =>
      questionKey({ picture, series: of, window });
    expect(key('average-price', series, '7d')).toBe(key('average-price', series, '1y'));
    expect(key('average-price', series)).not.toBe(key('average-price', other));
    expect(key('volatility-ranking', series)).toBe(key('volatility-ranking', other));
    expect(key('volatility-ranking', series)).not.toBe(key('volatility-ranking', 'archive:spot:BTCUSD'));
  });

  it('requires a known picture', () => {
    expect(() => pictureNamed('prices')).toThrow(/There is no picture "prices"\. Choose one of profile, /);
  });
});

describe('a search', () => {
  it('covers the window and one series, whose symbol may contain colons', () => {
    const { body } = searchOf(
      { index: 'moves', aggs: {} },
      { fromMs: 1, toMs: 2 },
      'bybit:option:BTC:26DEC:P',
    );
    expect(body.query).toEqual({
      bool: {
        filter: [
          { range: { confirmed_time: { gte: 1, lt: 2, format: 'epoch_millis' } } },
          { term: { exchange: 'bybit' } },
          { term: { category: 'option' } },
          { term: { symbol: 'BTC:26DEC:P' } },
        ],
      },
    });
  });

  it('exists for every picture and window', () => {
    for (const picture of PICTURES) {
      for (const window of PAGE_WINDOWS) {
        const { fromMs, toMs } = pictureWindow(picture, window, AS_OF_MS);
        expect(toMs - fromMs).toBeGreaterThanOrEqual(DAY_MS);
      }
    }
  });
});
