import { candleFromTicks } from '../market/candle.ts';
import { HOUR_MS, hourOf } from '../market/time.ts';
import { differs, firstLateHour } from './late-ticks.ts';
import { makeMovesAgain } from './moves-again.ts';
import type { CandleStore, LedgerStore, MoveStore, SampleCounts, SummaryStore, TickHours } from './ports.ts';
import type { SummarySettings } from './settings.ts';
import { type MovesFollow, type WrittenCandles, writeCandles } from './write-candles.ts';

/** How far back late ticks are looked for. */
const LATE_TICKS_MS = 48 * HOUR_MS;

export interface SummariseDependencies {
  ticks: TickHours;
  counts: SampleCounts;
  store: SummaryStore;
  settings: SummarySettings;
  /** Whether another piece of work (an hour, a page of candles) may begin. */
  hasTime: () => boolean;
  /** Told how far the run has come, for who wants to know it also where the run throws. */
  onProgress?: (soFar: SummariseReport) => void;
}

/** What one run did. Times are ISO 8601 UTC. */
export interface SummariseReport {
  /** Hours with ticks that were summarised. */
  hours: number;
  /** Candles that are new, or not as they were. */
  candles: number;
  moves: number;
  /** Series whose moves were made again because something before had changed. */
  seriesAgain: number;
  /** Where late ticks made it go back to. */
  lateFrom?: string;
  /** Every hour that ends at or before this is summarised; absent where there is no tick yet. */
  until?: string;
  /** False where the time ran out: the next run goes on. */
  done: boolean;
}

/**
 * Summarises every closed hour that is not yet: ticks → candles → moves, in hour order, from where the last run
 * stopped. Goes back to the first of the last 48 hours whose ticks are not those that its candles were made of.
 * The same ticks give the same documents, however often and in how many runs.
 *
 * @param nowMs epoch ms; the hour that it lies in is not closed
 */
export async function summarise(
  nowMs: number,
  dependencies: SummariseDependencies,
): Promise<SummariseReport> {
  const { ticks, counts, store, settings, hasTime, onProgress } = dependencies;
  const endMs = hourOf(nowMs);
  const report: SummariseReport = { hours: 0, candles: 0, moves: 0, seriesAgain: 0, done: false };

  let untilMs = await store.summarisedUntil();
  if (untilMs !== undefined) {
    const lateMs = await firstLateHour(counts, {
      fromMs: endMs - LATE_TICKS_MS,
      toMs: Math.min(untilMs, endMs),
      isLate: differs,
    });
    if (lateMs !== undefined) {
      report.lateFrom = new Date(lateMs).toISOString();
      untilMs = lateMs;
      await store.setSummarisedUntil(untilMs);
    }
  }

  for (;;) {
    if (!hasTime()) break;
    const tickMs = await ticks.firstTickIn(untilMs ?? 0, endMs);
    if (tickMs === undefined) {
      // Nothing but empty hours up to here.
      if (untilMs !== undefined && untilMs < endMs) {
        untilMs = endMs;
        await store.setSummarisedUntil(endMs);
      }
      const again = await makeMovesAgain(settings, store, hasTime);
      report.moves += again.moves;
      report.seriesAgain = again.series;
      report.done = again.done;
      break;
    }
    const hourMs = hourOf(tickMs);
    const written = await summariseHour(hourMs, ticks, 'atOnce', settings, store);
    untilMs = hourMs + HOUR_MS;
    await store.setSummarisedUntil(untilMs);
    report.hours += 1;
    report.candles += written.candles;
    report.moves += written.moves;
    onProgress?.({ ...report });
  }
  return { ...report, ...(untilMs === undefined ? {} : { until: new Date(untilMs).toISOString() }) };
}

/** Makes one hour's candles from its ticks, and what follows from them. */
export async function summariseHour(
  hourMs: number,
  ticks: Pick<TickHours, 'ticksOf'>,
  movesFollow: MovesFollow,
  settings: SummarySettings,
  store: CandleStore & MoveStore & LedgerStore,
): Promise<WrittenCandles> {
  const [ofHour, existing] = await Promise.all([ticks.ticksOf(hourMs), store.candlesAround(hourMs)]);
  const proposals = ofHour.map(({ series, ticks: prices }) => candleFromTicks(series, hourMs, prices));
  return writeCandles(proposals, existing, movesFollow, settings, store);
}
