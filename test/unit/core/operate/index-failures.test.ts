import { expect, it } from 'vitest';
import type { FailedPolls } from '../../../../core/completeness/failures.ts';
import { failureKey } from '../../../../core/lake/failure-objects.ts';
import { tickersKey } from '../../../../core/lake/ticker-objects.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';
import { indexFailures } from '../../../../core/operate/index-failures.ts';
import type { LakeObjects } from '../../../../core/operate/ports.ts';

const START_MS = Date.parse('2031-03-01T10:00:00.000Z');
const MARKET = { exchange: 'bybit', category: 'spot' as const };
const slot = (hour: number, poll: number) => ({
  ...MARKET,
  slotMs: START_MS + hour * HOUR_MS + poll * 900_000,
});

it('copies the hours with failed polls to the index, the newest again while it lasts', async () => {
  const keys = new Set<string>();
  const lake: Pick<LakeObjects, 'keys' | 'folders'> = {
    async *keys(prefix, startAfter = '') {
      yield* [...keys].sort().filter((key) => key.startsWith(prefix) && key > startAfter);
    },
    async folders(prefix) {
      const inside = [...keys].filter((key) => key.startsWith(prefix));
      return [...new Set(inside.map((key) => `${prefix}${key.slice(prefix.length).split('/')[0]}/`))];
    },
  };
  const index = new Map<number, FailedPolls>();
  const failedPolls = {
    newestHour: async () => [...index.keys()].at(-1),
    add: async (hours: readonly FailedPolls[]) => hours.forEach((hour) => void index.set(hour.hourMs, hour)),
  };
  const services = {
    lake: lake as LakeObjects,
    summaries: { thresholds: [], samplingIntervals: { default: 900_000 } },
    now: () => 0,
  };
  const fail = (hour: number, poll: number) => keys.add(failureKey(slot(hour, poll)));
  const run = async () => {
    await indexFailures(services, failedPolls, 1);
    return [...index.values()].map(({ hourMs, failed, due }) => [(hourMs - START_MS) / HOUR_MS, failed, due]);
  };

  expect(await run()).toEqual([]);
  for (const poll of [0, 1, 2, 3]) fail(0, poll);
  fail(1, 0);
  expect(await run()).toEqual([
    [0, 4, 4],
    [1, 1, 4],
  ]);
  fail(1, 1);
  fail(3, 2);
  // Another attempt at one of the polls got its tickers.
  keys.add(tickersKey(slot(1, 0)));
  expect(await run()).toEqual([
    [0, 4, 4],
    [1, 1, 4],
    [3, 1, 4],
  ]);
});
