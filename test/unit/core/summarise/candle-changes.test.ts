import { describe, expect, it } from 'vitest';
import { candleFromHistory, candleFromTicks } from '../../../../core/market/candle.ts';
import { DAY_MS, HOUR_MS } from '../../../../core/market/time.ts';
import { candleChanges } from '../../../../core/summarise/candle-changes.ts';
import { BTC, START_MS } from './in-memory.ts';

const INTERVALS = { 'recorded:spot': 900_000 };
const at = (hour: number) => START_MS + hour * HOUR_MS;
const flat = (startMs: number, price: number) => ({
  startMs,
  open: price,
  high: price,
  low: price,
  close: price,
});
const hourly = (hour: number, price: number) => candleFromHistory(BTC, flat(at(hour), price), 1);
const daily = (day: number, price: number) =>
  candleFromHistory(BTC, flat(START_MS + day * DAY_MS, price), 24);
const fromTicks = (hour: number, ...prices: number[]) =>
  candleFromTicks(
    BTC,
    at(hour),
    prices.map((price, poll) => ({ slotMs: at(hour) + poll * 60_000, price })),
  );
const due = <C>(candle: C, polls_due = 4) => ({ ...candle, polls_due });

describe('the chosen candle', () => {
  it('is the one from ticks if they cover half of the polls due, whichever came first', () => {
    const ticks = fromTicks(0, 100, 101);
    const recorded = hourly(0, 90);
    expect(candleChanges([ticks], [recorded], INTERVALS).put).toEqual([due(ticks)]);
    expect(candleChanges([recorded], [due(ticks)], INTERVALS).put).toEqual([]);
  });

  it('is the one from history if there are too few ticks, with their number', () => {
    const ticks = fromTicks(0, 100);
    const recorded = hourly(0, 90);
    const expected = [due({ ...recorded, samples: 1 })];
    expect(candleChanges([ticks], [recorded], INTERVALS).put).toEqual(expected);
    expect(candleChanges([recorded], [ticks], INTERVALS).put).toEqual(expected);
  });

  it('is the newer of two from history, with the number of ticks seen', () => {
    const old = due({ ...hourly(0, 90), samples: 1 });
    expect(candleChanges([hourly(0, 91)], [old], INTERVALS).put).toEqual([
      due({ ...hourly(0, 91), samples: 1 }),
    ]);
  });

  it('is the hourly one, not the daily one, whichever came first', () => {
    const after = candleChanges([hourly(3, 90)], [daily(0, 80)], INTERVALS);
    expect(after).toMatchObject({ put: [hourly(3, 90)], remove: [daily(0, 80)] });
    expect(after.pathChanges.get('recorded:spot:BTCUSD')).toEqual({
      fromMs: START_MS,
      isReplaced: true,
    });
    expect(candleChanges([daily(0, 80)], [hourly(3, 90)], INTERVALS)).toMatchObject({
      put: [],
      remove: [],
      chosen: [],
    });
  });

  it('is the hourly one if both are proposed together', () => {
    const { put } = candleChanges([daily(0, 80), daily(1, 81), hourly(3, 90)], [], INTERVALS);
    expect(put.map(({ hours, startMs }) => [hours, new Date(startMs).toISOString()])).toEqual([
      [1, '2018-07-01T03:00:00.000Z'],
      [24, '2018-07-02T00:00:00.000Z'],
    ]);
  });
});

describe('the log return', () => {
  it('is computed for the new candle and for the one after it', () => {
    const { put } = candleChanges([hourly(1, 110)], [hourly(0, 100), hourly(2, 99)], INTERVALS);
    expect(put.map(({ startMs, log_return }) => [new Date(startMs).getUTCHours(), log_return])).toEqual([
      [1, Math.log(110 / 100)],
      [2, Math.log(99 / 110)],
    ]);
  });

  it('is removed if the day before is replaced by hours', () => {
    const second = { ...daily(1, 81), log_return: Math.log(81 / 80) };
    const { put } = candleChanges([hourly(3, 90)], [daily(0, 80), second], INTERVALS);
    expect(put).toEqual([hourly(3, 90), daily(1, 81)]);
  });
});

describe('the changes', () => {
  it('are none if the same candle is proposed again', () => {
    const ticks = due(fromTicks(0, 100, 101));
    const changes = candleChanges([fromTicks(0, 100, 101)], [structuredClone(ticks)], INTERVALS);
    expect(changes).toEqual({ put: [], remove: [], chosen: [ticks], pathChanges: new Map() });
  });

  it('do not affect the path if only the log return differs', () => {
    const before = [hourly(0, 100), { ...hourly(1, 110), log_return: 0.5 }];
    const { put, pathChanges } = candleChanges([hourly(0, 100)], before, INTERVALS);
    expect(put).toHaveLength(1);
    expect(pathChanges.size).toBe(0);
  });
});

describe('what was traded', () => {
  const traded = (price: number, volume: number) =>
    candleFromHistory(BTC, { ...flat(at(0), price), volume }, 1);

  it('comes with new and changed candles', () => {
    expect(candleChanges([traded(100, 5)], [], {}).put).toEqual([traded(100, 5)]);
    expect(candleChanges([traded(101, 5)], [hourly(0, 100)], {}).put).toEqual([traded(101, 5)]);
    expect(candleChanges([traded(100, 6)], [traded(100, 5)], {}).put).toEqual([traded(100, 6)]);
  });

  it('does not rewrite a candle from before it was kept', () => {
    expect(candleChanges([traded(100, 5)], [hourly(0, 100)], {}).put).toEqual([]);
  });
});

describe('the polls due', () => {
  const option = { ...BTC, category: 'option' } as const;
  const oneTick = (series: typeof BTC) => candleFromTicks(series, at(0), [{ slotMs: at(0), price: 100 }]);
  const recorded = (series: typeof BTC) => candleFromHistory(series, flat(at(0), 90), 1);

  it("are counted by the category's own sampling interval", () => {
    const intervals = { 'recorded:spot': 120_000, 'recorded:option': HOUR_MS };
    const proposals = [oneTick(BTC), oneTick(option)];
    const { put } = candleChanges(proposals, [recorded(BTC), recorded(option)], intervals);
    // One tick of 30 is too few; one of 1 is all there can be.
    expect(put).toEqual([due({ ...recorded(BTC), samples: 1 }, 30), due(oneTick(option), 1)]);
  });

  it('of an existing candle outlive a change of the interval', () => {
    const hourlyNow = { 'recorded:spot': HOUR_MS };
    const old = due({ ...recorded(BTC), samples: 1 }, 30);
    const late = fromTicks(0, 100, 101, 102);
    expect(candleChanges([late], [old], hourlyNow).put).toEqual([due({ ...recorded(BTC), samples: 3 }, 30)]);
    const ticks = due(late, 4);
    expect(candleChanges([recorded(BTC)], [ticks], { 'recorded:spot': 60_000 }).put).toEqual([]);
  });

  it('are not added to an old candle that is otherwise unchanged', () => {
    const old = fromTicks(0, 100, 101);
    expect(candleChanges([old], [structuredClone(old)], INTERVALS).put).toEqual([]);
    const late = fromTicks(0, 100, 101, 102);
    expect(candleChanges([late], [old], INTERVALS).put).toEqual([due(late)]);
  });
});
