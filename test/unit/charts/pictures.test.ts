import { describe, expect, it } from 'vitest';
import { pageSpec } from '../../../charts/page-rendering.ts';
import { PICTURES } from '../../../charts/pictures/all.ts';
import type { Picture } from '../../../charts/pictures/chart.ts';
import { returnsOf } from '../../../core/insights/returns.ts';
import { volatilityOf } from '../../../core/insights/volatility.ts';
import { HOUR_MS } from '../../../core/market/time.ts';
import { draw } from '../../pages/drawing.ts';

const END_MS = Date.parse('2026-01-08T00:30:00Z');
const START_MS = END_MS - 7 * 24 * HOUR_MS;

/** The rows that a chart draws from the rows of an answer. */
async function drawn(pictureId: string, chartId: string, layer: string, rows: Record<string, unknown[]>) {
  const picture = PICTURES.find(({ id }) => id === pictureId) as Picture;
  const chart = picture.charts.find(({ id }) => id === chartId) as Picture['charts'][number];
  const drawing = await draw(pageSpec(chart, picture, { fromMs: START_MS, toMs: END_MS, rows }));
  return drawing.rows(layer);
}

describe('the chart of polls and gaps', () => {
  const polled = (until: number, interval = '1h', stepMs = HOUR_MS) => ({
    key: ['bybit', 'spot'],
    time: {
      interval,
      meta: { end: { '%timefilter%': 'max' } },
      buckets: Array.from({ length: until }, (_, index) => ({
        key: Date.parse('2026-01-07T00:00:00Z') + index * stepMs,
        polls: { value: index === 2 ? 0 : 30 },
      })),
    },
  });
  const gapsIn = async (row: object) =>
    (await drawn('pipeline-health', 'gaps', 'polls', { polls: [row] }))
      .filter(({ state }) => (state as unknown) === 'Gap')
      .map(({ time }) => new Date(Number(time)).toISOString().slice(5, 16));

  it('shows an outage that is going on', async () => {
    // The last poll was between 20:00 and 21:00; it is 00:30 now.
    expect(await gapsIn(polled(21))).toEqual(['01-07T02:00', '01-07T21:00', '01-07T22:00', '01-07T23:00']);
  });

  it('does not take the hour that has just begun for an outage', async () => {
    expect(await gapsIn(polled(24))).toEqual(['01-07T02:00']);
    expect(await gapsIn(polled(25))).toEqual(['01-07T02:00']);
  });

  it('knows wider intervals', async () => {
    expect(await gapsIn(polled(4, '3h', 3 * HOUR_MS))).toEqual([
      '01-07T06:00',
      '01-07T12:00',
      '01-07T15:00',
      '01-07T18:00',
      '01-07T21:00',
    ]);
  });

  it('ends with the window of a panel in Dashboards that ended before', async () => {
    const row = polled(10);
    const end = Date.parse('2026-01-07T12:00:00Z');
    expect(await gapsIn({ ...row, time: { ...row.time, meta: { end } } })).toEqual([
      '01-07T02:00',
      '01-07T10:00',
    ]);
  });
});

describe('the chart of the most volatile', () => {
  const bucket = (
    symbol: string,
    logReturns: { hours: 1 | 24; log_return: number }[],
    hours: number,
    window: object = { from: {}, to: {} },
  ) => {
    const returns = returnsOf(logReturns);
    const stats = ({ count, sum, sumOfSquares }: (typeof returns)[1]) => ({
      returns: { count, sum, sum_of_squares: count === 0 ? null : sumOfSquares },
    });
    return {
      key: { exchange: 'x', category: 'spot', symbol },
      hourly: stats(returns[1]),
      daily: stats(returns[24]),
      low: { value: 1 },
      high: { value: 2 },
      hours: { value: hours, meta: window },
    };
  };
  const hourly = [0.01, -0.02, 0.015].map((log_return) => ({ hours: 1 as const, log_return }));
  const daily = [0.05, -0.03].map((log_return) => ({ hours: 24 as const, log_return }));
  const ranking = (series: unknown[]) => drawn('volatility-ranking', 'volatility', 'ranking', { series });

  it('has the numbers of insights, whatever the length of the candles', async () => {
    for (const logReturns of [hourly, daily, [...hourly, ...daily]]) {
      const [row] = await ranking([bucket('A', logReturns, 168)]);
      const expected = volatilityOf({ returns: returnsOf(logReturns), low: 1, high: 2 });
      expect(row?.volatility).toBeCloseTo(expected.volatility as number, 12);
      expect(row?.returns).toBe(expected.returns);
    }
  });

  it('leaves out series with too little data, unless none has enough', async () => {
    const symbols = (rows: readonly { series?: unknown }[]) => rows.map(({ series }) => series);
    const [much, little] = [bucket('A', hourly, 150), bucket('B', daily, 48)];
    expect(symbols(await ranking([much, little]))).toEqual(['x:spot:A']);
    expect(symbols(await ranking([little]))).toEqual(['x:spot:B']);
    // A panel in Dashboards has a window of its own.
    const twoDays = { from: END_MS - 48 * HOUR_MS, to: END_MS };
    const inPanel = [bucket('A', hourly, 30, twoDays), bucket('B', daily, 48, twoDays)];
    expect(symbols(await ranking(inPanel))).toEqual(['x:spot:B']);
  });
});
