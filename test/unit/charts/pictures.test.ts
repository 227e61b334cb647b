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
async function drawn(
  pictureId: string,
  chartId: string,
  layer: string,
  rows: Record<string, unknown[]>,
  toMs = END_MS,
  choices: Record<string, string> = {},
) {
  const picture = PICTURES.find(({ id }) => id === pictureId) as Picture;
  const chart = picture.charts.find(({ id }) => id === chartId) as Picture['charts'][number];
  const drawing = await draw(pageSpec(chart, picture, { fromMs: START_MS, toMs, rows }, choices));
  return drawing.rows(layer);
}

describe('the chart of polls and gaps', () => {
  const polled = (until: number, interval = '1h', stepMs = HOUR_MS) => ({
    key: ['bybit', 'spot'],
    time: {
      interval,
      buckets: Array.from({ length: until }, (_, index) => ({
        key: Date.parse('2026-01-07T00:00:00Z') + index * stepMs,
        polls: { value: index === 2 ? 0 : 30 },
      })),
    },
  });
  const gapsIn = async (row: object, toMs = END_MS) =>
    (await drawn('pipeline-health', 'gaps', 'polls', { polls: [row] }, toMs))
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

  it('ends with a window that ended before', async () => {
    expect(await gapsIn(polled(10), Date.parse('2026-01-07T12:00:00Z'))).toEqual([
      '01-07T02:00',
      '01-07T10:00',
    ]);
  });

  it('takes an interval at an edge of the window, with polls in a part of it only, for what it is', async () => {
    const row = polled(25);
    const buckets = row.time.buckets.map((bucket, index) =>
      index === 24 ? { ...bucket, polls: { value: 15 } } : bucket,
    );
    const shares = (
      await drawn('pipeline-health', 'gaps', 'polls', { polls: [{ ...row, time: { ...row.time, buckets } }] })
    ).map(({ share }) => share);
    expect(shares.at(-1)).toBe(1);
  });
});

describe('the ledger of completeness', () => {
  const DAY = '2026-01-07T';
  const hour = (of: number, samples: number | undefined, due: number | undefined) => ({
    key: Date.parse(`${DAY}00:00:00Z`) + of * HOUR_MS,
    doc_count: samples === undefined ? 0 : 1,
    samples: { value: samples ?? 0 },
    due: { value: due ?? 0 },
  });
  const stateOfHours = async (buckets: object[]) => {
    const row = { key: ['bybit', 'spot'], time: { interval: '1h', buckets } };
    const rows = await drawn('pipeline-health', 'completeness', 'ledger', { ledger: [row] });
    return rows.map(({ time, state }) => [
      new Date(Number(time)).toISOString().slice(11, 13),
      state as unknown,
    ]);
  };

  it('names each hour’s state in words, and an outage that is going on', async () => {
    const states = await stateOfHours([
      hour(17, 3_000, 3_000),
      hour(18, 2_900, 3_000),
      hour(19, 1_000, 3_000),
      hour(20, undefined, undefined),
      hour(21, 0, undefined),
    ]);
    // It is 00:30 now, so the candles of 22:00 are due, those of 23:00 not yet.
    expect(states).toEqual([
      ['17', 'Complete'],
      ['18', 'Some missing'],
      ['19', 'Half or more missing'],
      ['20', 'Nothing'],
      ['21', 'From history'],
      ['22', 'Nothing'],
    ]);
  });
});

describe('the way of the data', () => {
  it('shows how late polls were received, and both parts of the newest slot’s age', async () => {
    // The window ends right after now.
    const slotMs = END_MS - 1 - 3 * 60_000;
    const delays = {
      key: ['bybit', 'spot'],
      time: {
        interval: '1h',
        buckets: [
          { key: START_MS, doc_count: 2, slot: { value: START_MS }, received: { value: START_MS + 2_500 } },
          { key: START_MS + HOUR_MS, doc_count: 0, slot: { value: null }, received: { value: null } },
        ],
      },
    };
    const seconds = await drawn('pipeline-health', 'delay', 'delays', { delays: [delays] });
    expect(seconds.map((row) => row.seconds)).toEqual([2.5, null]);
    const newest = { key: ['bybit', 'spot'], newest: { value: slotMs }, fetched: { value: slotMs + 30_000 } };
    const stages = await drawn('pipeline-health', 'freshness', 'age', { newest: [newest] });
    expect(stages.map(({ stage, stage_from, stage_to }) => [stage, stage_from, stage_to])).toEqual([
      ['until it was fetched', 0, 0.5],
      ['since then', 0.5, 3],
    ]);
  });
});

describe('the chart of the most volatile', () => {
  const bucket = (
    symbol: string,
    logReturns: { hours: 1 | 24; log_return: number }[],
    hours: number,
    lastMs = END_MS,
  ) => {
    const returns = returnsOf(logReturns);
    const stats = ({ count, sum, sumOfSquares }: (typeof returns)[1]) => ({
      returns: { count, sum, sum_of_squares: count === 0 ? null : sumOfSquares },
    });
    return {
      key: symbol,
      hourly: stats(returns[1]),
      daily: stats(returns[24]),
      low: { value: 1 },
      high: { value: 2 },
      hours: { value: hours },
      last: { value: lastMs },
    };
  };
  const hourly = [0.01, -0.02, 0.015].map((log_return) => ({ hours: 1 as const, log_return }));
  const daily = [0.05, -0.03].map((log_return) => ({ hours: 24 as const, log_return }));
  const ranking = (buckets: unknown[]) => {
    const ranked = { newest: { value: END_MS }, symbols: { buckets } };
    const market = { key: 'x', categories: { buckets: [{ key: 'spot', ranked }] } };
    return drawn('volatility-ranking', 'volatility', 'ranking', { series: [market] });
  };

  it('has the numbers of insights, whatever the length of the candles', async () => {
    for (const logReturns of [hourly, daily, [...hourly, ...daily]]) {
      const [row] = await ranking([bucket('A', logReturns, 168)]);
      const expected = volatilityOf({ returns: returnsOf(logReturns), low: 1, high: 2 });
      expect(row?.volatility).toBeCloseTo(expected.volatility as number, 12);
      expect(row?.returns).toBe(expected.returns);
    }
  });

  it('leaves out series that ended, and those with too little data unless none has enough', async () => {
    const symbols = (rows: readonly { series?: unknown }[]) => rows.map(({ series }) => series);
    const [much, little] = [bucket('A', hourly, 150), bucket('B', daily, 48)];
    expect(symbols(await ranking([much, little]))).toEqual(['x:spot:A']);
    expect(symbols(await ranking([little]))).toEqual(['x:spot:B']);
    const ended = bucket('C', hourly, 160, END_MS - 49 * HOUR_MS);
    expect(symbols(await ranking([much, ended]))).toEqual(['x:spot:A']);
  });
});

describe('the charts of a currency', () => {
  const candle = (startMs: number, close: number) => ({
    key: startMs,
    doc_count: 1,
    mean: { value: close },
    low: { value: close - 1 },
    high: { value: close + 1 },
    close: { value: close },
    hours: { value: 1 },
    returns: { sum: { value: 0 }, hours: { value: 0 } },
  });
  const tick = (startMs: number, price: number, change: number) => ({
    key: startMs,
    doc_count: 30,
    mean: { value: price },
    low: { value: price },
    high: { value: price },
    change: { value: change },
  });
  const market = (key: string[], buckets: object[], ticks: object[], fields: object = {}) => ({
    key,
    newest: { hits: { hits: [{ fields }] } },
    lengths: {
      buckets:
        buckets.length > 0 ? [{ key: 1, last: { value: (buckets.at(-1) as { key: number }).key } }] : [],
    },
    last_day: { doc_count: 0, close: { value: null }, volume: { value: 0 }, turnover: { value: 0 } },
    candles: { interval: '1h', buckets },
    ticks: { buckets: ticks },
  });
  const at = (hour: number) => START_MS + (hour + 0.5) * HOUR_MS;
  const BTC = ['bybit', 'spot', 'BTCUSDT'];

  it('draw one line of candles and the ticks of hours after them', async () => {
    // Hours 20 to 23 have ticks, the first two of them a candle, too.
    const candles = Array.from({ length: 22 }, (_, hour) => candle(at(hour), 100 + hour));
    const ticks = [20, 21, 22, 23].map((hour) => tick(at(hour), 100 + hour, 0));
    const rows = await drawn('price-and-change', 'price', 'price-line', {
      markets: [market(BTC, candles, ticks)],
    });
    expect(rows.map(({ start_ms }) => start_ms)).toEqual(Array.from({ length: 24 }, (_, hour) => at(hour)));
    expect(rows.map(({ mean }) => mean)).toEqual(Array.from({ length: 24 }, (_, hour) => 100 + hour));
    expect(new Set(rows.map(({ segment }) => segment)).size).toBe(1);
  });

  it('break the line at a gap', async () => {
    const candles = [0, 1, 2, 5, 6].map((hour) => candle(at(hour), 100));
    const rows = await drawn('price-and-change', 'price', 'price-line', {
      markets: [market(BTC, candles, [])],
    });
    expect(rows.map(({ segment }) => segment)).toEqual([0, 0, 0, 1, 1]);
  });

  it('compare closes with those 24 hours before, and take the exchange’s change where there are none', async () => {
    const candles = Array.from({ length: 26 }, (_, hour) => candle(at(hour), 100 + hour));
    const ticks = [22, 25, 26].map((hour) => tick(at(hour), 100, 0.5));
    const rows = await drawn('price-and-change', 'change', 'change-line', {
      day_before: [market(BTC, candles, ticks)],
    });
    expect(rows.map(({ start_ms, change }) => [start_ms, change])).toEqual([
      [at(22), 0.5],
      [at(24), 124 / 100 - 1],
      [at(25), 125 / 101 - 1],
      [at(26), 0.5],
    ]);
  });

  it('show the coverage of periods at the window’s edges, and an outage that is going on', async () => {
    // From half past midnight on 1 January to half past midnight on the 8th; the last candle is of the 5th.
    const day = (date: number, hours: number) => ({
      ...candle(Date.UTC(2026, 0, date), 100),
      doc_count: hours,
      hours: { value: hours },
    });
    const days = [
      day(1, 23),
      day(2, 24),
      day(3, 12),
      day(4, 24),
      day(5, 24),
      day(6, 0),
      day(7, 0),
      day(8, 0),
    ];
    const rows = await drawn(
      'average-price',
      'coverage',
      'coverage-bars',
      { markets: [{ ...market(BTC, days, []), lengths: { buckets: [] } }] },
      END_MS,
      { period: 'day' },
    );
    expect(rows.map(({ coverage, state }) => [coverage, state])).toEqual([
      ...[1, 1, 0.5, 1, 1].map((coverage) => [coverage, 'Data']),
      ...[0, 0, 0].map((coverage) => [coverage, 'No data']),
    ]);
  });
});
