import { isDeepStrictEqual } from 'node:util';
import { HOUR_MS, hourOf } from '../market/time.ts';
import { summariseLateHours } from './late-hours.ts';
import { COUNTED_MS, hoursWithLateTicks } from './late-ticks.ts';
import type { SampleCounts, SummaryStore, TickHours } from './ports.ts';
import { remakeMoves } from './remake-moves.ts';
import type { SummarySettings } from './settings.ts';
import { type HourOptions, summariseHour, type WrittenHour } from './summarise-hour.ts';

export interface SummariseDependencies {
  ticks: TickHours;
  counts: SampleCounts;
  store: SummaryStore;
  settings: SummarySettings;
  /** Whether there is time for another piece of work: an hour, or a page of candles. */
  hasTime: () => boolean;
  /** Called after each hour, so that the caller knows what was done even if the run fails. */
  onProgress?: (soFar: SummariseReport) => void;
}

/** What one run did. Times are ISO 8601 UTC. */
export interface SummariseReport {
  /** Hours with ticks that were summarised. */
  hours: number;
  /** Candles that are new or changed. */
  candles: number;
  moves: number;
  /** Series whose moves were made again because something before them had changed. */
  seriesAgain: number;
  /** The first hour that was made again because of late ticks. */
  lateFrom?: string;
  /** Every hour that ends at or before this is summarised; absent before the first tick. */
  until?: string;
  /** False if the time ran out: the next run continues. */
  done: boolean;
}

export const NOTHING_DONE: SummariseReport = { hours: 0, candles: 0, moves: 0, seriesAgain: 0, done: false };

/**
 * Summarises closed hours in order: ticks → candles → moves. First makes those earlier hours again that have late ticks:
 * of the 48 hours before it stopped last time, because their ticks have changed since; of still earlier ones, because
 * they were recorded. Then it continues where it stopped. The same ticks give the same documents, in however many runs
 * and however late they come.
 *
 * @param nowMs epoch ms; the hour it is in is not closed
 */
export async function summarise(
  nowMs: number,
  dependencies: SummariseDependencies,
): Promise<SummariseReport> {
  const { ticks, counts, store, settings, hasTime, onProgress } = dependencies;
  const endMs = hourOf(nowMs);
  const report = { ...NOTHING_DONE };

  let untilMs = await store.summarisedUntil();
  const add = ({ candles, moves, isComplete }: WrittenHour) => {
    report.hours += isComplete ? 1 : 0;
    report.candles += candles;
    report.moves += moves;
    onProgress?.({ ...report });
  };
  const matched = await store.matchedTicks();
  const setUntil = async (ms: number) => {
    untilMs = ms;
    await store.setSummarisedUntil(ms, matched);
  };
  if (untilMs !== undefined) {
    // Before the first look at the ticks: what is recorded later may not be visible to this run.
    const recorded = await store.lateHours();
    const toMs = Math.min(untilMs, endMs);
    const search = { counts, matched, intervals: settings.samplingIntervals, hasTime };
    const before = new Map(matched);
    const recent = await hoursWithLateTicks({ fromMs: toMs - COUNTED_MS, toMs }, search);
    if (!isDeepStrictEqual(before, matched)) await setUntil(untilMs);
    const late = [...recorded, ...recent];
    // A killed run may have made their candles but not what follows from them.
    if (recent.length > 0) await store.setLateHours(late);
    const firstMs = await summariseLateHours(late, untilMs, { ticks, store, settings, hasTime, onHour: add });
    if (firstMs !== undefined) report.lateFrom = new Date(firstMs).toISOString();
  }

  while (hasTime()) {
    const tickMs = await ticks.firstTickIn(untilMs ?? 0, endMs);
    if (tickMs === undefined) {
      if (untilMs !== undefined && untilMs < endMs) await setUntil(endMs);
      const remade = await remakeMoves(settings, store, hasTime);
      report.moves += remade.moves;
      report.seriesAgain = remade.series;
      report.done = remade.done;
      break;
    }
    add(await summariseNext(hourOf(tickMs), matched, setUntil, dependencies));
  }
  return { ...report, ...(untilMs === undefined ? {} : { until: new Date(untilMs).toISOString() }) };
}

/**
 * The next hour, or as much of it as the time allows; the next run continues with the markets that are left.
 * @param matched gets the number of its ticks
 */
async function summariseNext(
  hourMs: number,
  matched: Map<number, number>,
  setUntil: (ms: number) => Promise<void>,
  { ticks, store, settings, hasTime }: SummariseDependencies,
): Promise<WrittenHour> {
  const known = await store.unfinishedHour();
  let nextMs = hourMs + HOUR_MS;
  const options: HourOptions = {
    makeMoves: 'now',
    hasTime,
    begun: known?.hourMs === hourMs ? known : undefined,
    async beforeReopening(dayMs) {
      nextMs = dayMs;
      await setUntil(dayMs);
    },
    onMarket: (done, total) => store.setUnfinishedHour({ hourMs, ticks: total, done }),
  };
  const written = await summariseHour(hourMs, ticks, options, settings, store);
  if (!written.isComplete) return written;
  // Ticks that have come since it was counted make the hour late, whether they were read or not.
  matched.set(hourMs, written.ticks);
  for (const ms of matched.keys()) if (ms < hourMs - COUNTED_MS) matched.delete(ms);
  await setUntil(nextMs);
  return written;
}
