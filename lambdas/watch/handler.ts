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
 * Emits how fresh the index and the summaries are. A market without tickers emits nothing, and nothing is emitted if
 * OpenSearch cannot be reached: the alarms treat missing data as breaching.
 */
export async function handler(event: unknown, context: Context): Promise<WatchReport> {
  log.addContext(context);
  const nowMs = timeOf(event);
  const deadlineMs = deadlineOf(context.getRemainingTimeInMillis(), Date.now());
  const report = await watch(nowMs, markets, new OpenSearchWatch(client, deadlineMs));
  for (const { exchange, category, ageSeconds } of report.newest) {
    emit('freshness', { exchange, category }, { NewestTickerAge: ageSeconds });
  }
  emit('summaries', {}, { SummariesHoursBehind: report.hoursBehind });
  log.info('Watched', { report });
  return report;
}
