import { describe, expect, it } from 'vitest';
import type { Datapoint } from '../../../../local/metrics/emf.ts';
import { statisticsOf } from '../../../../local/metrics/statistics.ts';

const point = (name: string, exchange: string, atMs: number, ...values: number[]): Datapoint => ({
  namespace: 'Some',
  name,
  unit: 'Count',
  dimensions: { service: 'ingest', exchange },
  atMs,
  values,
});

describe('the statistics of metrics', () => {
  it('are those of each name with each set of dimensions', async () => {
    const found = await statisticsOf([
      point('PollsFailed', 'kraken', 10, 1),
      point('PollsFailed', 'bybit', 30, 0),
      point('PollsFailed', 'bybit', 10, 4, 2),
      point('BatchesWaiting', 'bybit', 10, 7),
    ]);
    const rows = found.map(({ name, dimensions, count, sum, min, max, last, lastMs }) => {
      return [dimensions.exchange, name, count, sum, min, max, last, lastMs];
    });
    expect(rows).toEqual([
      ['bybit', 'BatchesWaiting', 1, 7, 7, 7, 7, 10],
      // The last one by its time: the logs of several functions are read one after the other.
      ['bybit', 'PollsFailed', 3, 6, 0, 4, 0, 30],
      ['kraken', 'PollsFailed', 1, 1, 1, 1, 1, 10],
    ]);
  });

  it('are none of nothing', async () => {
    expect(await statisticsOf([])).toEqual([]);
  });
});
