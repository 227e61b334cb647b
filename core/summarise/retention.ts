import type { SamplingIntervals } from '../market/sampling.ts';
import { HOUR_MS } from '../market/time.ts';
import type { Log } from '../runtime/log.ts';
import { hasLateTicks } from './late-ticks.ts';
import type { LateHours, RetentionStore, SampleCounts, SummaryProgress, TickMonths } from './ports.ts';

export interface RetentionDependencies {
  months: TickMonths;
  counts: SampleCounts;
  store: Pick<SummaryProgress, 'summarisedUntil'> & LateHours & RetentionStore;
  samplingIntervals: SamplingIntervals;
  log: Log;
  hasTime: () => boolean;
}

/**
 * Deletes the ticks of whole months that ended more than `retentionMs` ago and are summarised. Before a month is
 * deleted, its ticks are compared with its candles once more, hour by hour, in as many runs as that takes. The hours
 * whose ticks are not summarised are noted as late, and the month is kept until a later run has summarised them. The
 * lake keeps every tick.
 * @returns the deleted months, `YYYY.MM`
 */
export async function deleteOldTicks(
  nowMs: number,
  retentionMs: number,
  dependencies: RetentionDependencies,
): Promise<string[]> {
  const { months, store, log, hasTime } = dependencies;
  const deleted: string[] = [];
  const untilMs = (await store.summarisedUntil()) ?? Number.NEGATIVE_INFINITY;
  for (const month of await months.months()) {
    const [year, number] = month.split('.').map(Number) as [number, number];
    const [beginMs, endMs] = [Date.UTC(year, number - 1, 1), Date.UTC(year, number, 1)];
    if (endMs > nowMs - retentionMs || endMs > untilMs) break;
    if (!hasTime()) return deleted;
    const checkedMs = await checkMonth(month, beginMs, endMs, dependencies);
    if (checkedMs < endMs) {
      const checkedUntil = new Date(checkedMs).toISOString();
      log.info('A month due for deletion is checked in part; the next run continues', {
        month,
        checkedUntil,
      });
      return deleted;
    }
    // Also those that came since their hour was checked: they were recorded.
    const late = (await store.lateHours()).filter((hourMs) => hourMs >= beginMs && hourMs < endMs);
    if (late.length > 0) {
      const hours = late.length;
      log.warn('Kept a month due for deletion until its late ticks are summarised', { month, hours });
      return deleted;
    }
    // If ticks of the month come back, all of it is checked again.
    await store.setRetentionProgress({ month, untilMs: beginMs });
    await months.deleteMonth(month);
    deleted.push(month);
    log.info('Deleted a month of ticks; the lake keeps them', { month });
  }
  return deleted;
}

/**
 * Continues where the last run stopped. Ticks that come to hours checked already are recorded as late by who indexes
 * them, so no hour has to be checked twice.
 * @returns up to where the month is checked, epoch ms
 */
async function checkMonth(
  month: string,
  beginMs: number,
  endMs: number,
  { counts, store, samplingIntervals, hasTime }: RetentionDependencies,
): Promise<number> {
  const progress = await store.retentionProgress();
  const fromMs = progress?.month === month ? progress.untilMs : beginMs;
  for (const hourMs of (await counts.tickTotals(fromMs, endMs)).keys()) {
    if (!hasTime()) return hourMs;
    if (await hasLateTicks(counts, hourMs, samplingIntervals)) {
      await store.setLateHours([...(await store.lateHours()), hourMs]);
    }
    await store.setRetentionProgress({ month, untilMs: hourMs + HOUR_MS });
  }
  return endMs;
}
