import type { SamplingIntervals } from '../market/sampling.ts';
import { DAY_MS } from '../market/time.ts';
import type { Log } from '../runtime/log.ts';
import { firstLateHour } from './late-ticks.ts';
import type { LateHours, SampleCounts, SummaryProgress, TickMonths } from './ports.ts';

export interface RetentionDependencies {
  months: TickMonths;
  counts: SampleCounts;
  progress: SummaryProgress & Pick<LateHours, 'lateHours'>;
  samplingIntervals: SamplingIntervals;
  log: Log;
  hasTime: () => boolean;
}

/**
 * Deletes the ticks of whole months that ended more than `retentionMs` ago and are summarised. Before a month is
 * deleted, its ticks are compared with its candles once more: if some are not summarised, summarising is set back and
 * the month is kept until a later run. The lake keeps every tick.
 * @returns the deleted months, `YYYY.MM`
 */
export async function deleteOldTicks(
  nowMs: number,
  retentionMs: number,
  { months, counts, progress, samplingIntervals, log, hasTime }: RetentionDependencies,
): Promise<string[]> {
  const deleted: string[] = [];
  const untilMs = (await progress.summarisedUntil()) ?? Number.NEGATIVE_INFINITY;
  for (const month of await months.months()) {
    const [year, number] = month.split('.').map(Number) as [number, number];
    const [beginMs, endMs] = [Date.UTC(year, number - 1, 1), Date.UTC(year, number, 1)];
    if (endMs > nowMs - retentionMs || endMs > untilMs) break;
    for (let dayMs = beginMs; dayMs < endMs; dayMs += DAY_MS) {
      if (!hasTime()) {
        log.warn('Out of time before a month could be checked for deletion; a later run tries again', {
          month,
        });
        return deleted;
      }
      const day = { fromMs: dayMs, toMs: dayMs + DAY_MS };
      const lateMs = await firstLateHour(counts, day, samplingIntervals);
      if (lateMs === undefined) continue;
      await progress.setSummarisedUntil(lateMs);
      const from = new Date(lateMs).toISOString();
      log.warn('Kept a month due for deletion because some of its ticks are not summarised', { month, from });
      return deleted;
    }
    // Since the ticks were counted, others may have come; the next run summarises them.
    const late = await progress.lateHours();
    if (late.some((hourMs) => hourMs >= beginMs && hourMs < endMs)) {
      log.warn('Kept a month due for deletion because late ticks have come', { month });
      return deleted;
    }
    await months.deleteMonth(month);
    deleted.push(month);
    log.info('Deleted a month of ticks; the lake keeps them', { month });
  }
  return deleted;
}
