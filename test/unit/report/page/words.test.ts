import { describe, expect, it } from 'vitest';
import { sourceWords } from '../../../../report/page/words.ts';

describe('where the prices come from', () => {
  it('is said of polls and of candles', () => {
    expect(
      sourceWords('last year', {
        sources: { ticks: 0.125, hourly: 0.875, daily: 0 },
        samplingIntervalSecondsBySource: { ticks: 120, hourly: 900 },
      }),
    ).toBe(
      'Of the hours of the last year with data, 12.5\u202f% are polled every 2 minutes; 87.5\u202f% are from hourly candles, of four prices each.',
    );
  });

  it('is short if there is one source', () => {
    const of = (source: string, seconds: number) =>
      sourceWords('last 2 years', {
        sources: { ticks: 0, hourly: 0, daily: 0, [source]: 1 },
        samplingIntervalSecondsBySource: { [source]: seconds },
      });
    expect(of('ticks', 60)).toBe('All hours of the last 2 years with data are polled every minute.');
    expect(of('daily', 21_600)).toBe(
      'All hours of the last 2 years with data are from daily candles, of four prices each.',
    );
  });
});
