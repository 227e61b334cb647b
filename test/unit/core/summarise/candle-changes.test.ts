import { describe, expect, it } from 'vitest';
import { candleFromHistory, candleFromTicks } from '../../../../core/market/candle.ts';
import { DAY_MS, HOUR_MS } from '../../../../core/market/time.ts';
import { candleChanges } from '../../../../core/summarise/candle-changes.ts';
import { BTC, START_MS } from './in-memory.ts';

const RULES = { intervals: { 'recorded:spot': 900_000 } };
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
const fromTicksAt = (...ticks: [minute: number, price: number][]) =>
  candleFromTicks(
    BTC,
    at(0),
    ticks.map(([minute, price]) => ({ slotMs: at(0) + minute * 60_000, price })),
  );
const due = <C>(candle: C, polls_due = 4) => ({ ...candle, polls_due });

describe('the chosen candle', () => {
  it('is the one from ticks if they cover half of the polls due, whichever came first', () => {
    const ticks = fromTicks(0, 100, 101);
    const recorded = hourly(0, 90);
    expect(candleChanges([ticks], [recorded], RULES).put).toEqual([due(ticks)]);
    expect(candleChanges([recorded], [due(ticks)], RULES).put).toEqual([]);
  });

  it('is the one from history if there are too few ticks, with their number', () => {
    const ticks = fromTicks(0, 100);
    const recorded = hourly(0, 90);
    const expected = [due({ ...recorded, samples: 1 })];
    expect(candleChanges([ticks], [recorded], RULES).put).toEqual(expected);
    expect(candleChanges([recorded], [ticks], RULES).put).toEqual(expected);
  });

  it('is the newer of two from history, with the number of ticks seen', () => {
    const old = due({ ...hourly(0, 90), samples: 1 });
    expect(candleChanges([hourly(0, 91)], [old], RULES).put).toEqual([due({ ...hourly(0, 91), samples: 1 })]);
  });

  it('is the hourly one, not the daily one, whichever came first', () => {
    const after = candleChanges([hourly(3, 90)], [daily(0, 80)], RULES);
    expect(after).toMatchObject({ put: [hourly(3, 90)], remove: [daily(0, 80)] });
    expect(after.pathChanges.get('recorded:spot:BTCUSD')).toEqual({
      fromMs: START_MS,
      isReplaced: true,
    });
    expect(candleChanges([daily(0, 80)], [hourly(3, 90)], RULES)).toMatchObject({
      put: [],
      remove: [],
      chosen: [],
    });
  });

  it('is the hourly one if both are proposed together', () => {
    const { put } = candleChanges([daily(0, 80), daily(1, 81), hourly(3, 90)], [], RULES);
    expect(put.map(({ hours, startMs }) => [hours, new Date(startMs).toISOString()])).toEqual([
      [1, '2018-07-01T03:00:00.000Z'],
      [24, '2018-07-02T00:00:00.000Z'],
    ]);
  });
});

describe('a candle made of ticks', () => {
  const known = due(fromTicks(0, 100, 101, 102, 103));
  const late = (minute: number, price: number) =>
    candleFromTicks(BTC, at(0), [{ slotMs: at(0) + minute * 60_000, price }]);

  it('gains late ticks and loses none, although the others may have been deleted', () => {
    const { put } = candleChanges([late(30, 98)], [known], RULES);
    expect(put).toEqual([due(fromTicksAt([0, 100], [1, 101], [2, 102], [3, 103], [30, 98]))]);
    expect(candleChanges([late(1, 101)], [known], RULES).put).toEqual([]);
  });

  it('becomes what the lake has, even if that is less', () => {
    const { put } = candleChanges([late(30, 98)], [known], { ...RULES, hasAllTicks: true });
    expect(put).toEqual([due(late(30, 98))]);
  });

  it('does not flatten the exchange’s own candle if only one poll an hour is due', () => {
    const own = { ...flat(at(0), 100), high: 120, low: 90, close: 95 };
    const recorded = candleFromHistory(BTC, own, 1);
    const rules = { intervals: { 'recorded:spot': HOUR_MS } };
    const expected = due({ ...recorded, samples: 1 }, 1);
    expect(candleChanges([fromTicks(0, 101)], [recorded], rules).put).toEqual([expected]);
    expect(candleChanges([recorded], [due(fromTicks(0, 101), 1)], rules).put).toEqual([expected]);
    expect(candleChanges([fromTicks(0, 101)], [], rules).put).toEqual([due(fromTicks(0, 101), 1)]);
  });

  it('does not replace a daily candle if it has one late tick', () => {
    const stays = { put: [], remove: [], chosen: [] };
    expect(candleChanges([fromTicks(3, 100)], [daily(0, 80)], RULES)).toMatchObject(stays);
    const well = fromTicks(5, 100, 101);
    expect(candleChanges([well], [daily(0, 80)], RULES)).toMatchObject({
      put: [due(well)],
      remove: [daily(0, 80)],
    });
  });

  it('gives way to a daily candle if it has one tick, but not if it has many', () => {
    const one = due(fromTicks(3, 100));
    expect(candleChanges([daily(0, 80)], [one], RULES)).toMatchObject({ put: [daily(0, 80)], remove: [one] });
    const both = [one, due(fromTicks(5, 100, 101))];
    expect(candleChanges([daily(0, 80)], both, RULES)).toMatchObject({ put: [], remove: [] });
  });

  it('of a backfilled hour, keeps the number of ticks seen', () => {
    const recorded = due({ ...hourly(0, 90), samples: 10 }, 30);
    expect(candleChanges([fromTicks(0, 100)], [recorded], RULES).put).toEqual([]);
  });
});

describe('the log return', () => {
  it('is computed for the new candle and for the one after it', () => {
    const { put } = candleChanges([hourly(1, 110)], [hourly(0, 100), hourly(2, 99)], RULES);
    expect(put.map(({ startMs, log_return }) => [new Date(startMs).getUTCHours(), log_return])).toEqual([
      [1, Math.log(110 / 100)],
      [2, Math.log(99 / 110)],
    ]);
  });

  it('is removed if the day before is replaced by hours', () => {
    const second = { ...daily(1, 81), log_return: Math.log(81 / 80) };
    const { put } = candleChanges([hourly(3, 90)], [daily(0, 80), second], RULES);
    expect(put).toEqual([hourly(3, 90), daily(1, 81)]);
  });
});

describe('the changes', () => {
  it('are none if the same candle is proposed again', () => {
    const ticks = due(fromTicks(0, 100, 101));
    const changes = candleChanges([fromTicks(0, 100, 101)], [structuredClone(ticks)], RULES);
    expect(changes).toEqual({ put: [], remove: [], chosen: [ticks], pathChanges: new Map() });
  });

  it('do not affect the path if only the log return differs', () => {
    const before = [hourly(0, 100), { ...hourly(1, 110), log_return: 0.5 }];
    const { put, pathChanges } = candleChanges([hourly(0, 100)], before, RULES);
    expect(put).toHaveLength(1);
    expect(pathChanges.size).toBe(0);
  });
});

describe('what was traded', () => {
  const traded = (price: number, volume: number) =>
    candleFromHistory(BTC, { ...flat(at(0), price), volume }, 1);

  it('comes with new and changed candles', () => {
    expect(candleChanges([traded(100, 5)], [], RULES).put).toEqual([traded(100, 5)]);
    expect(candleChanges([traded(101, 5)], [hourly(0, 100)], RULES).put).toEqual([traded(101, 5)]);
    expect(candleChanges([traded(100, 6)], [traded(100, 5)], RULES).put).toEqual([traded(100, 6)]);
  });

  it('does not rewrite a candle from before it was kept', () => {
    expect(candleChanges([traded(100, 5)], [hourly(0, 100)], RULES).put).toEqual([]);
  });
});

describe('the polls due', () => {
  const option = { ...BTC, category: 'option' } as const;
  const oneTick = (series: typeof BTC) => candleFromTicks(series, at(0), [{ slotMs: at(0), price: 100 }]);
  const recorded = (series: typeof BTC) => candleFromHistory(series, flat(at(0), 90), 1);

  it("are counted by the category's own sampling interval", () => {
    const intervals = { 'recorded:spot': 120_000, 'recorded:option': HOUR_MS };
    const proposals = [oneTick(BTC), oneTick(option)];
    const { put } = candleChanges(proposals, [recorded(BTC), recorded(option)], { intervals });
    // One tick is too few, even if only one is due.
    expect(put).toEqual([
      due({ ...recorded(BTC), samples: 1 }, 30),
      due({ ...recorded(option), samples: 1 }, 1),
    ]);
  });

  it('of an existing candle outlive a change of the interval', () => {
    const hourlyNow = { 'recorded:spot': HOUR_MS };
    const old = due({ ...recorded(BTC), samples: 1 }, 30);
    const late = fromTicks(0, 100, 101, 102);
    expect(candleChanges([late], [old], { intervals: hourlyNow }).put).toEqual([
      due({ ...recorded(BTC), samples: 3 }, 30),
    ]);
    const ticks = due(late, 4);
    expect(candleChanges([recorded(BTC)], [ticks], { intervals: { 'recorded:spot': 60_000 } }).put).toEqual(
      [],
    );
  });

  it('are not added to an old candle that is otherwise unchanged', () => {
    const old = fromTicks(0, 100, 101);
    expect(candleChanges([old], [structuredClone(old)], RULES).put).toEqual([]);
    const late = fromTicks(0, 100, 101, 102);
    expect(candleChanges([late], [old], RULES).put).toEqual([due(late)]);
  });
});
