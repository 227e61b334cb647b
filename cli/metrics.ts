import { Command, Option } from 'commander';
import { parseDuration } from '../core/market/time.ts';
import { METRIC_GROUPS } from '../core/runtime/metrics.ts';
import { textTable } from '../core/text/text-table.ts';
import { emittedIn } from '../local/metrics/emf.ts';
import { type MetricStatistics, statisticsOf } from '../local/metrics/statistics.ts';
import { lastRunBeganMs } from '../local/pipeline/last-run.ts';
import { duration, folderOption } from './options.ts';
import { runCommand } from './run-command.ts';

interface MetricsFlags {
  since?: string;
  name?: string;
  json?: boolean;
  folder: string;
}

const program = new Command('npm run metrics --')
  .description(
    'Shows the metrics that the functions of the pipeline on this machine emitted, by name and dimensions, as CloudWatch would see them.',
  )
  .addOption(
    new Option(
      '--since <duration>',
      'only what was emitted in the last while, e.g. 10m (default: since the last "npm start")',
    ).argParser(duration),
  )
  .option('--name <text>', 'only metrics whose name or service contains this, e.g. PollsFailed or index')
  .option('--json', 'one JSON object')
  .addOption(folderOption)
  .addHelpText(
    'after',
    `
Exit codes: 0 there were metrics, 1 there were none, 2 they could not be read.

In the market replay the ages are measured by the replay's clock, except SlotDelay: it is the time since 2018.
The metrics of a deployed stage are in CloudWatch, namespace CryptoMarketInsights, for which its own tools are made:
  aws cloudwatch list-metrics --namespace CryptoMarketInsights

With --json: {since, metrics: [{namespace, name, unit, dimensions, count, sum, min, max, last, lastAt}]}

Examples:
  npm run metrics                                        all of the last run
  npm run metrics -- --since 10m --name TickersRejected  the last ten minutes of one metric`,
  );

function matches({ name, dimensions }: MetricStatistics, text: string): boolean {
  return [name, dimensions.service ?? ''].some((each) => each.toLowerCase().includes(text.toLowerCase()));
}

const inTable = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 1 });

function print(metrics: readonly MetricStatistics[]): void {
  const table = textTable(['metric', 'dimensions', 'count', 'sum', 'min', 'max', 'last', 'unit']);
  table.options.colAligns = ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'left'];
  for (const { name, dimensions, unit, count, sum, min, max, last } of metrics) {
    const all = Object.entries(dimensions).map(([dimension, value]) => `${dimension}=${value}`);
    table.push([name, all.join(' '), ...[count, sum, min, max, last].map(inTable), unit]);
  }
  process.stdout.write(`${table}\n`);
}

const { since, name = '', json, folder } = program.parse().opts<MetricsFlags>();
process.exit(
  await runCommand(async () => {
    const sinceMs =
      since === undefined ? ((await lastRunBeganMs(folder)) ?? 0) : Date.now() - parseDuration(since);
    const all = await statisticsOf(emittedIn(folder, sinceMs));
    const metrics = all.filter((each) => matches(each, name));
    const from = new Date(sinceMs).toISOString();
    if (json) {
      const rows = metrics.map(({ lastMs, ...rest }) => ({
        ...rest,
        lastAt: new Date(lastMs).toISOString(),
      }));
      process.stdout.write(`${JSON.stringify({ since: from, metrics: rows })}\n`);
    } else if (metrics.length > 0) print(metrics);
    else {
      const known = Object.keys(METRIC_GROUPS).join(', ');
      const what = `${name === '' ? '' : ` "${name}"`}${sinceMs === 0 ? '' : ` since ${from}`}`;
      process.stderr.write(
        `There is no metric${what} under ${folder}. "npm start" runs the functions that emit them; their services are ${known}.\n`,
      );
    }
    return metrics.length > 0 ? 0 : 1;
  }),
);
