import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { DAY_MS } from '../../core/market/time.ts';
import { deadlineOf } from '../../core/runtime/budgets.ts';
import { readEnvironment } from '../../core/runtime/environment.ts';
import { deleteOldTicks } from '../../core/summarise/retention.ts';
import { summarySettings, summaryVariables, tickRetentionVariable } from '../../core/summarise/settings.ts';
import { NOTHING_DONE, type SummariseReport, summarise } from '../../core/summarise/summarise.ts';
import { createLogger } from '../../stores/aws/logger.ts';
import { createMetrics, metricsVariables } from '../../stores/aws/metrics.ts';
import { createOpenSearchOf } from '../../stores/opensearch/client.ts';
import { openSearchVariables } from '../../stores/opensearch/environment.ts';
import { withSummaryStores } from '../../stores/opensearch/summary-stores.ts';
import { timeOf } from '../event-time.ts';

const environment = readEnvironment(
  z.object({
    ...openSearchVariables,
    ...summaryVariables,
    ...metricsVariables,
    TICK_RETENTION_DAYS: tickRetentionVariable,
  }),
  process.env,
);
const log = createLogger('summarise');
const emit = createMetrics(environment.STAGE);
const client = createOpenSearchOf(environment);
const settings = summarySettings(environment);

/** Reserved for finishing the hour in progress, with the retries of its writes. */
const LAST_HOUR_RESERVE_MS = 30_000;

export interface SummariseAnswer extends SummariseReport {
  /** Months of ticks, `YYYY.MM`. */
  deletedMonths: string[];
}

/**
 * Summarises every closed hour; if the time runs out, the next run continues. Then deletes months of ticks older than
 * the retention.
 * @throws LeaseBusyError if a backfill or a rebuild holds the lease all the time
 */
export async function handler(event: unknown, context: Context): Promise<SummariseAnswer> {
  log.addContext(context);
  const nowMs = timeOf(event);
  const remainingMs = context.getRemainingTimeInMillis();
  const deadlineMs = deadlineOf(remainingMs, Date.now());
  const lastStartMs = Date.now() + remainingMs - Math.min(LAST_HOUR_RESERVE_MS, remainingMs / 2);
  const hasTime = () => Date.now() < lastStartMs;
  let soFar = NOTHING_DONE;
  const onProgress = (report: SummariseReport) => {
    soFar = report;
  };
  const options = { client, log, purpose: 'summarise', waitUntilMs: lastStartMs, deadlineMs };
  try {
    const answer = await withSummaryStores(options, async ({ store, ticks, counts }) => {
      const report = await summarise(nowMs, { ticks, counts, store, settings, hasTime, onProgress });
      onProgress(report);
      const days = report.done ? environment.TICK_RETENTION_DAYS : 'never';
      const { samplingIntervals } = settings;
      const dependencies = { months: ticks, counts, store, samplingIntervals, log, hasTime };
      const deletedMonths = days === 'never' ? [] : await deleteOldTicks(nowMs, days * DAY_MS, dependencies);
      return { ...report, deletedMonths };
    });
    log.info('Summarised', { report: answer });
    return answer;
  } finally {
    const { hours: HoursSummarised, candles: CandlesWritten, moves: MovesWritten } = soFar;
    const values = { HoursSummarised, CandlesWritten, MovesWritten, SeriesMadeAgain: soFar.seriesAgain };
    emit('summarise', {}, values);
  }
}
