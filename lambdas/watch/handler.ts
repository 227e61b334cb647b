import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { marketsIn, samplingIntervalsVariable } from '../../core/market/sampling.ts';
import { type WatchReport, watch } from '../../core/operate/watch.ts';
import { deadlineOf } from '../../core/runtime/budgets.ts';
import { jsonText, readEnvironment } from '../../core/runtime/environment.ts';
import { createLogger } from '../../stores/aws/logger.ts';
import { createMetrics, metricsVariables } from '../../stores/aws/metrics.ts';
import { createOpenSearchOf } from '../../stores/opensearch/client.ts';
import { openSearchVariables } from '../../stores/opensearch/environment.ts';
import { OpenSearchWatch } from '../../stores/opensearch/watch.ts';
import { timeOf } from '../event-time.ts';

const environment = readEnvironment(
  z.object({
    ...openSearchVariables,
    ...metricsVariables,
    /** The exchanges that are polled, as JSON; SAMPLING_INTERVALS has their categories. */
    EXCHANGES: jsonText(z.array(z.string().min(1)).min(1)),
    SAMPLING_INTERVALS: samplingIntervalsVariable,
  }),
  process.env,
);
const log = createLogger('watch');
const emit = createMetrics(environment.STAGE);
const client = createOpenSearchOf(environment);
const markets = marketsIn(environment.SAMPLING_INTERVALS, environment.EXCHANGES);

/**
 * Emits how fresh the index and the summaries are, and nothing if OpenSearch cannot be reached: the alarm on
 * its checks treats missing data as breaching.
 */
export async function handler(event: unknown, context: Context): Promise<WatchReport> {
  log.addContext(context);
  const nowMs = timeOf(event);
  const deadlineMs = deadlineOf(context.getRemainingTimeInMillis(), Date.now());
  const index = new OpenSearchWatch(client, deadlineMs);
  const report = await watch(nowMs, markets, environment.SAMPLING_INTERVALS, index);
  for (const [exchange, StaleCategories] of Object.entries(report.stale)) {
    emit('freshness', { exchange }, { StaleCategories });
  }
  const ages = report.newest.map(({ ageSeconds }) => ageSeconds);
  emit(
    'watch',
    {},
    {
      Looks: 1,
      OldestTickerAge: ages.length > 0 ? Math.max(...ages) : undefined,
      SummariesHoursBehind: report.hoursBehind,
    },
  );
  log.info('Watched', { report });
  return report;
}
