import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../../core/market/invalid-input.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';
import { widened, windowOf } from '../../../../core/market/window.ts';
import { iso } from '../insights/sample-candles.ts';

const NOW_MS = Date.parse('2018-07-05T12:34:56.000Z');
const asked = (question: Parameters<typeof windowOf>[0]) => {
  const { fromMs, toMs } = windowOf(question, NOW_MS, '24h');
  return [iso(fromMs), iso(toMs)];
};

describe('the window of a question', () => {
  it('ends now by default', () => {
    expect(asked({})).toEqual(['2018-07-04T12:34:56.000Z', '2018-07-05T12:34:56.000Z']);
  });

  it('ends at the given time', () => {
    expect(asked({ at: '2018-03-02', over: '1d' })).toEqual([
      '2018-03-01T00:00:00.000Z',
      '2018-03-02T00:00:00.000Z',
    ]);
  });

  it('extends from a time until now', () => {
    expect(asked({ from: '2018-07-01' })).toEqual(['2018-07-01T00:00:00.000Z', iso(NOW_MS)]);
  });

  it('has a duration after a time or before one', () => {
    expect(asked({ from: '2018-03-01', over: '2d' })[1]).toBe('2018-03-03T00:00:00.000Z');
    expect(asked({ to: '2018-03-03', over: '2d' })[0]).toBe('2018-03-01T00:00:00.000Z');
  });

  it('may be in the future', () => {
    expect(asked({ from: '2030-01-01', to: '2030-01-02' })[0]).toBe('2030-01-01T00:00:00.000Z');
  });

  it.each([
    ['it ends before it begins', { from: '2018-03-02', to: '2018-03-01' }],
    ['it is empty', { from: '2018-03-02', to: '2018-03-02' }],
    ['it begins after now', { from: '2019-01-01' }],
    ['it is given twice', { from: '2018-03-01', to: '2018-03-02', over: '1d' }],
  ])('is refused if %s', (_, question) => {
    expect(() => asked(question)).toThrow(InvalidInputError);
  });

  it('is widened to whole hours', () => {
    const window = windowOf({ from: '2018-03-01T10:20', to: '2018-03-01T12:01' }, NOW_MS, '1h');
    const { fromMs, toMs } = widened(window);
    expect([iso(fromMs), iso(toMs)]).toEqual(['2018-03-01T10:00:00.000Z', '2018-03-01T13:00:00.000Z']);
    expect(widened({ fromMs, toMs })).toEqual({ fromMs, toMs });
  });

  it('keeps the length that was asked for, and ends with the hour that is going on', () => {
    const wide = (question: Parameters<typeof windowOf>[0]) => {
      const { fromMs, toMs } = widened(windowOf(question, NOW_MS, '24h'));
      return { hours: (toMs - fromMs) / HOUR_MS, to: iso(toMs) };
    };
    const to = '2018-07-05T13:00:00.000Z';
    expect(wide({ over: '90d' })).toEqual({ hours: 2_160, to });
    expect(wide({})).toEqual({ hours: 24, to });
    expect(wide({ over: '90m' })).toEqual({ hours: 2, to });
    expect(wide({ over: '90d', at: '2018-07-05' })).toEqual({ hours: 2_160, to: '2018-07-05T00:00:00.000Z' });
  });
});
