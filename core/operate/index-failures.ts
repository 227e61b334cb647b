import { type FailedPolls, failedPollsOf } from '../completeness/failures.ts';
import { FAILURES, failureKey, failureSlotIn, failuresPrefix } from '../lake/failure-objects.ts';
import { parseTickersKey, tickersKey, tickersPrefix } from '../lake/ticker-objects.ts';
import { type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import type { Market } from '../market/series.ts';
import { HOUR_MS, hourOf } from '../market/time.ts';
import type { OperationServices } from './operation.ts';
import type { FailedPollIndex, LakeObjects } from './ports.ts';
import { marketsWithFolder } from './state-folders.ts';

/**
 * Copies to the index in which hours the exchanges gave no prices, from the last hour that it has. Questions are answered
 * from there, because their function has no access to the lake.
 */
export async function indexFailures(
  { lake, summaries, now }: Pick<OperationServices, 'lake' | 'summaries' | 'now'>,
  index: FailedPollIndex,
  deadlineMs: number,
): Promise<void> {
  for (const market of await marketsWithFolder(lake, FAILURES)) {
    const newestMs = await index.newestHour(market, deadlineMs);
    const found: FailedPolls[] = [];
    // Starts with the newest hour, which may have been incomplete.
    for await (const hour of failedPollsIn(lake, market, newestMs ?? 0, summaries.samplingIntervals)) {
      if (now() >= deadlineMs) break;
      found.push(hour);
    }
    if (found.length > 0) await index.add(found, deadlineMs);
  }
}

/** The hours of a market with failed polls, from an hour on (epoch ms). */
export async function* failedPollsIn(
  lake: Pick<LakeObjects, 'keys'>,
  market: Market,
  fromMs: number,
  intervals: SamplingIntervals,
): AsyncGenerator<FailedPolls> {
  const after = fromMs > 0 ? failureKey({ ...market, slotMs: fromMs - 1 }) : undefined;
  let slots: number[] = [];
  const close = async () => {
    const [first] = slots;
    if (first === undefined) return [];
    const polled = await slotsOfHour(lake, market, hourOf(first));
    return failedPollsOf(market, slots, polled, samplingIntervalOf(market, intervals));
  };
  for await (const key of lake.keys(failuresPrefix(market), after)) {
    const slotMs = failureSlotIn(key);
    if (slotMs === undefined || slotMs < fromMs) continue;
    if (slots[0] !== undefined && hourOf(slotMs) !== hourOf(slots[0])) {
      yield* await close();
      slots = [];
    }
    slots.push(slotMs);
  }
  yield* await close();
}

/** The slots of an hour that the lake has a batch of. */
async function slotsOfHour(
  lake: Pick<LakeObjects, 'keys'>,
  market: Market,
  hourMs: number,
): Promise<Set<number>> {
  const slots = new Set<number>();
  const after = tickersKey({ ...market, slotMs: Math.max(0, hourMs - 1) });
  for await (const key of lake.keys(tickersPrefix(market.exchange, market.category), after)) {
    const slotMs = parseTickersKey(key)?.slotMs;
    if (slotMs === undefined || slotMs < hourMs) continue;
    if (slotMs >= hourMs + HOUR_MS) break;
    slots.add(slotMs);
  }
  return slots;
}
