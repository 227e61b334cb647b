import { parseDuration } from '../../core/market/time.ts';
import { METRIC_GROUPS } from '../../core/runtime/metrics.ts';
import { textTable } from '../../core/text/text-table.ts';
import { emittedIn, type MetricStatistics, statisticsOf } from '../../local/pipeline/emitted-metrics.ts';
import { lastRunBeganMs } from '../../local/pipeline/last-run.ts';
import { createCommand, perform } from '../command.ts';
import { duration, withFolderOption } from '../options.ts';
import { note, print } from '../print.ts';

interface MetricsFlags {
  since?: string;
  name?: string;
  json?: boolean;
  folder: string;
}

const help = `Exit codes: 0 there are metrics, 1 there are none, 2 they could not be read.

In the market replay, ages are measured by the replay's clock, except SlotDelay, which counts from 2018 to now.
The metrics of a deployed stage are in CloudWatch, namespace CryptoMarketInsights:
  aws cloudwatch list-metrics --namespace CryptoMarketInsights

With --json: {since, metrics: [{namespace, name, unit, dimensions, count, sum, min, max, last, lastAt}]}

Examples:
  npm run metrics                                        everything since the last "npm start"
  npm run metrics -- --since 10m --name TickersRejected  one metric of the last ten minutes`;

export const command = withFolderOption(
  createCommand(
    'metrics',
    'Shows the metrics that the functions on this machine emitted, as CloudWatch would see them.',
    { help },
  ),
)
  .option('--since <duration>', 'how far back, e.g. 10m (default: since the last "npm start")', duration)
  .option('--name <text>', 'only metrics whose name or service contains this, e.g. PollsFailed or index')
  .option('--json', 'print one JSON object')
  .action(
    perform(async (_signal, { since, name = '', json, folder }: MetricsFlags) => {
      const sinceMs =
        since === undefined ? ((await lastRunBeganMs(folder)) ?? 0) : Date.now() - parseDuration(since);
      const all = await statisticsOf(emittedIn(folder, sinceMs));
      const metrics = all.filter((each) =>
        `${each.name}\n${each.dimensions.service}`.toLowerCase().includes(name.toLowerCase()),
      );
      const sinceTime = new Date(sinceMs).toISOString();
      if (json) print(JSON.stringify({ since: sinceTime, metrics }));
      else if (metrics.length > 0) print(metricsTable(metrics));
      else {
        const which = name === '' ? 'are no metrics' : `is no metric "${name}"`;
        note(
          `There ${which}${sinceMs === 0 ? '' : ` since ${sinceTime}`} in ${folder}. The functions emit them while "npm start" runs; their services are ${Object.keys(METRIC_GROUPS).join(', ')}.`,
        );
      }
      return metrics.length > 0 ? 0 : 1;
    }),
  );

function metricsTable(metrics: readonly MetricStatistics[]): string {
  const figure = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 1 });
  return textTable(
    ['metric', 'dimensions', 'count', 'sum', 'min', 'max', 'last', 'unit'],
    metrics.map(({ name, dimensions, unit, count, sum, min, max, last }) => [
      name,
      Object.entries(dimensions)
        .map(([dimension, value]) => `${dimension}=${value}`)
        .join(' '),
      ...[count, sum, min, max, last].map(figure),
      unit,
    ]),
    [0, 1, 7],
  );
}
