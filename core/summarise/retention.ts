import { DAY_MS } from '../market/time.ts';
import type { Log } from '../runtime/log.ts';
import { firstLateHour, hasMore } from './late-ticks.ts';
import type { SampleCounts, SummaryProgress, TickMonths } from './ports.ts';

export interface RetentionDependencies {
  months: TickMonths;
  counts: SampleCounts;
  progress: SummaryProgress;
  log: Log;
  hasTime: () => boolean;
}

/**
 * Deletes the ticks of whole months that ended longer than `retentionMs` ago, each only after every hour of it is
 * summarised: before a month goes, its ticks are counted against its candles once more. Where they disagree,
 * summarising goes back there and the month stays until a later run. The lake keeps every tick.
 * @returns the months that were deleted, `YYYY.MM`
 */
export async function deleteOldTicks(
  nowMs: number,
  retentionMs: number,
  { months, counts, progress, log, hasTime }: RetentionDependencies,
): Promise<string[]> {
  const deleted: string[] = [];
  const untilMs = (await progress.summarisedUntil()) ?? Number.NEGATIVE_INFINITY;
  for (const month of await months.months()) {
    const { startMs, endMs } = spanOfMonth(month);
    if (endMs > nowMs - retentionMs || endMs > untilMs) break;
    for (let dayMs = startMs; dayMs < endMs; dayMs += DAY_MS) {
      if (!hasTime()) {
        log.warn('No time was left to count a month that is to be deleted; a later run tries again', {
          month,
        });
        return deleted;
      }
      const lateMs = await firstLateHour(counts, { fromMs: dayMs, toMs: dayMs + DAY_MS, isLate: hasMore });
      if (lateMs === undefined) continue;
      await progress.setSummarisedUntil(lateMs);
      log.warn('A month that is to be deleted holds ticks that are not summarised; it is kept for now', {
        month,
        from: new Date(lateMs).toISOString(),
      });
      return deleted;
    }
    await months.deleteMonth(month);
    deleted.push(month);
    log.info('Deleted a month of ticks; the lake keeps them', { month });
  }
  return deleted;
}

/** `YYYY.MM` → its first ms and the one after its last, UTC. */
function spanOfMonth(month: string): { startMs: number; endMs: number } {
  const [year, number] = month.split('.').map(Number) as [number, number];
  return { startMs: Date.UTC(year, number - 1, 1), endMs: Date.UTC(year, number, 1) };
}
