import { describe, expect, it } from 'vitest';
import { correlationPicture, profilePicture } from '../../../charts/computed-pictures.ts';
import { pageSpec } from '../../../charts/page-rendering.ts';
import { correlation } from '../../../charts/pictures/correlation.ts';
import { profile } from '../../../charts/pictures/profile.ts';
import { pictureWindow } from '../../../charts/questions.ts';
import { tableRows } from '../../../charts/table-rows.ts';
import type { Candle } from '../../../core/market/candle.ts';
import { windowBefore } from '../../../core/market/window.ts';
import { draw } from '../../pages/drawing.ts';
import { InMemoryStore } from '../core/insights/in-memory-store.ts';
import { hourMs, recorded, withReturns } from '../core/insights/sample-candles.ts';

const NAME = 'recorded:spot:BTCUSD';
const HOURS = 90 * 24;
const END_MS = hourMs(HOURS);

/** Hours of a price that swings by 20 %; `without` some of them. */
function candles(symbol: string, phase: number, without: (hour: number) => boolean = () => false): Candle[] {
  const priceAt = (hour: number) => 100 * (1 + 0.2 * Math.sin(hour / 17 + phase) + 0.1 * Math.sin(hour / 3));
  const all = Array.from({ length: HOURS }, (_, hour) => hour).filter((hour) => !without(hour));
  const made = all.map((hour) => {
    const [open, close] = [priceAt(hour), priceAt(hour + 1)];
    return { ...recorded(hour, [open, Math.max(open, close), Math.min(open, close), close]), symbol };
  });
  return withReturns(made);
}

const bitcoin = candles('BTCUSD', 0, (hour) => hour >= 1_002 && hour < 1_302);

const storeOf = (...series: Candle[][]) => ({
  insights: new InMemoryStore(series.flat()),
  samplingIntervals: {},
});

/** The rows of a chart's table. */
async function drawn(id: string, rows: Record<string, unknown[]>) {
  const picture = [profile, correlation].find(({ charts }) => charts.some((chart) => chart.id === id));
  const chart = picture?.charts.find((each) => each.id === id);
  if (!picture || !chart) throw new Error(`There is no chart ${id}`);
  const window = pictureWindow(picture, '90d', END_MS);
  const drawing = await draw(pageSpec(chart, picture, { ...window, rows }));
  return { drawing, rows: tableRows(chart, drawing.rows) };
}

describe('the pictures about one currency', () => {
  const answered = profilePicture(storeOf(bitcoin), NAME, windowBefore(END_MS, '90d'));
  const nothing = profilePicture(storeOf([]), NAME, windowBefore(END_MS, '90d'));

  it.each(profile.charts.map(({ id }) => id))('draw %s, and nothing without data', async (id) => {
    expect((await drawn(id, (await answered).rows)).rows.length).toBeGreaterThan(0);
    expect(await nothing).toEqual({ rows: {} });
    expect((await drawn(id, {})).rows).toEqual([]);
  });

  it('leave a gap where there is no data', async () => {
    const { rows, profile: found } = await answered;
    const prices = rows.prices as { time: number; mean: number | null }[];
    const empty = prices.filter(({ mean }) => mean === null).map(({ time }) => time);
    expect(empty).toEqual(Array.from({ length: 50 }, (_, index) => hourMs(1_002 + 6 * index)));
    // Each bucket of six hours is full or empty.
    const known = prices.flatMap(({ mean }) => (mean === null ? [] : [mean]));
    const mean = known.reduce((sum, each) => sum + each, 0) / known.length;
    expect(mean).toBeCloseTo(found?.average.mean as number, 1);
  });

  it('draw the worst drawdown as deep as the answer says', async () => {
    const { rows, profile: found } = await answered;
    const deepest = (rows.underWater as { fraction: number | null }[]).map(({ fraction }) => fraction ?? 0);
    expect(Math.min(...deepest)).toBe(found?.drawdown.max?.fraction);
  });

  it('count every wait between two moves of the picked size', async () => {
    const { rows, profile: found } = await answered;
    const { rows: bins } = await drawn('move-waits', rows);
    const counted = found?.moves.thresholds.find(({ threshold }) => threshold === 0.05);
    for (const [name, moves] of [
      ['Rises', counted?.rises],
      ['Falls', counted?.falls],
    ] as const) {
      const inBins = bins.filter((bin) => (bin.name as string) === name);
      expect(inBins.reduce((sum, bin) => sum + Number(bin.count), 0)).toBe((moves?.count ?? 0) - 1);
    }
  });
});

describe('the correlation with others', () => {
  const others = [
    candles('ETHUSD', 0.1),
    candles('BTCEUR', 0),
    candles('NEWUSD', 1, (hour) => hour < 60 * 24),
    candles('XRPUSD', 2),
  ];
  const choices = [
    { series: NAME, base: 'BTC' },
    { series: 'recorded:spot:BTCEUR', base: 'BTC' },
    { series: 'recorded:spot:NEWUSD', base: 'NEW' },
    { series: 'recorded:spot:ETHUSD', base: 'ETH' },
    { series: 'recorded:spot:XRPUSD', base: 'XRP' },
    { series: 'archive:spot:LTCUSD' },
  ];

  it('takes one series of each currency with nearly all days of the picked one', async () => {
    const store = storeOf(bitcoin, ...others);
    const { rows } = await correlationPicture(store, NAME, windowBefore(END_MS, '90d'), choices);
    const { rows: pairs } = await drawn('correlation-matrix', rows);
    expect(pairs.slice(0, 3).map(({ column }) => column)).toEqual(['BTCUSD', 'ETHUSD', 'XRPUSD']);
    expect(pairs).toHaveLength(9);
    expect(pairs[0]?.pearson).toBeCloseTo(1, 12);
    expect(Number(pairs[1]?.pearson)).toBeGreaterThan(0.9);
    expect(Number(pairs[2]?.pearson)).toBeLessThan(0.5);
  });

  it('is empty without another currency', async () => {
    const window = windowBefore(END_MS, '90d');
    expect(await correlationPicture(storeOf(bitcoin), NAME, window, choices)).toEqual({ rows: {} });
    expect((await drawn('correlation-matrix', {})).rows).toEqual([]);
  });
});
