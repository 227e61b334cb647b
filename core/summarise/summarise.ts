import { HOUR_MS, hourOf } from '../market/time.ts';
import { summariseLateHours } from './late-hours.ts';
import { COUNTED_MS, firstLateHour } from './late-ticks.ts';
import type { SampleCounts, SummaryStore, TickHours } from './ports.ts';
import { remakeMoves } from './remake-moves.ts';
import type { SummarySettings } from './settings.ts';
import { summariseHour } from './summarise-hour.ts';
import type { WrittenCandles } from './write-candles.ts';

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
  /** The hour that late ticks made it go back to. */
  lateFrom?: string;
  /** Every hour that ends at or before this is summarised; absent before the first tick. */
  until?: string;
  /** False if the time ran out: the next run continues. */
  done: boolean;
}

export const NOTHING_DONE: SummariseReport = { hours: 0, candles: 0, moves: 0, seriesAgain: 0, done: false };

/**
 * Summarises closed hours in order: ticks → candles → moves. Continues where the last run stopped, or goes back to the
 * first of the 48 hours before it whose ticks have changed since; of earlier hours, it makes those again whose ticks were
 * recorded as late. The same ticks give the same documents, in however many runs and however late they come.
 *
 * @param nowMs epoch ms; the hour it is in is not closed
 */
export async function summarise(
  nowMs: number,
  { ticks, counts, store, settings, hasTime, onProgress }: SummariseDependencies,
): Promise<SummariseReport> {
  const endMs = hourOf(nowMs);
  const report = { ...NOTHING_DONE };

  let untilMs = await store.summarisedUntil();
  const addHour = (written: WrittenCandles) => {
    report.hours += 1;
    report.candles += written.candles;
    report.moves += written.moves;
    onProgress?.({ ...report });
  };
  const setUntil = async (ms: number) => {
    untilMs = ms;
    await store.setSummarisedUntil(ms);
  };
  if (untilMs !== undefined) {
    // Before the first look at the ticks: what is recorded later may not be visible to this run.
    const firstMs = await summariseLateHours(untilMs, { ticks, store, settings, hasTime, onHour: addHour });
    if (firstMs !== undefined) report.lateFrom = new Date(firstMs).toISOString();
    const toMs = Math.min(untilMs, endMs);
    const recent = { fromMs: toMs - COUNTED_MS, toMs };
    const lateMs = await firstLateHour(counts, recent, settings.samplingIntervals);
    if (lateMs !== undefined) {
      report.lateFrom ??= new Date(lateMs).toISOString();
      await setUntil(lateMs);
    }
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
    const hourMs = hourOf(tickMs);
    let nextMs = hourMs + HOUR_MS;
    const beforeReopening = async (dayMs: number) => {
      nextMs = dayMs;
      await setUntil(dayMs);
    };
    const written = await summariseHour(
      hourMs,
      ticks,
      { makeMoves: 'now', beforeReopening },
      settings,
      store,
    );
    await setUntil(nextMs);
    addHour(written);
  }
  return { ...report, ...(untilMs === undefined ? {} : { until: new Date(untilMs).toISOString() }) };
}
