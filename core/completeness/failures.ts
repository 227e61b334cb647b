import type { BatchAddress } from '../lake/ticker-objects.ts';
import { pollsDueInHour } from '../market/sampling.ts';
import type { Market } from '../market/series.ts';
import { hourOf } from '../market/time.ts';

/** A poll for which the exchange returned no prices of a market. */
export interface PollFailure {
  /** The name and message of the error. */
  name: string;
  message: string;
}

/** Where failed polls are kept. */
export interface FailureLake {
  /** Replaces what an earlier attempt at the same poll kept. */
  putFailure(address: BatchAddress, failure: PollFailure, deadlineMs: number): Promise<void>;
}

/** What the exchange did to the polls of one market in one hour. */
export interface FailedPolls extends Market {
  /** Start of the hour, epoch ms. */
  hourMs: number;
  /** Polls that got no prices from it, and none in another attempt. */
  failed: number;
  /** How many polls were due. */
  due: number;
}

/**
 * The failures of a market by hour.
 * @param failed the slots of polls that failed, epoch ms
 * @param polled the slots that the lake has a batch of
 */
export function failedPollsOf(
  { exchange, category }: Market,
  failed: readonly number[],
  polled: ReadonlySet<number>,
  intervalMs: number,
): FailedPolls[] {
  return [...Map.groupBy(new Set(failed), hourOf)]
    .map(([hourMs, slots]) => ({
      ...{ exchange, category, hourMs },
      failed: slots.filter((slotMs) => !polled.has(slotMs)).length,
      due: pollsDueInHour(hourMs, intervalMs),
    }))
    .sort((a, b) => a.hourMs - b.hourMs);
}

/**
 * The hours that count as `exchange down`: it failed in at least half of the polls that were due. In other
 * hours we mostly did not poll, so the hole is our own.
 */
export function hoursDown(hours: readonly Pick<FailedPolls, 'hourMs' | 'failed' | 'due'>[]): Set<number> {
  return new Set(
    hours.filter(({ failed, due }) => failed > 0 && failed * 2 >= due).map(({ hourMs }) => hourMs),
  );
}
