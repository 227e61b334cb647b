import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { logsOf } from './last-run.ts';

/** One metric of one log line. CloudWatch identifies it by its name and all of its dimensions. */
export interface Datapoint {
  namespace: string;
  name: string;
  unit: string;
  dimensions: Readonly<Record<string, string>>;
  /** Epoch ms. */
  atMs: number;
  values: readonly number[];
}

/** CloudWatch's statistics of one metric; `count` is its SampleCount, `lastAt` is ISO 8601. */
export type MetricStatistics = Omit<Datapoint, 'atMs' | 'values'> &
  Record<'count' | 'sum' | 'min' | 'max' | 'last', number> & { lastAt: string };

/** The part of CloudWatch's embedded metric format that is read here; the values are fields next to `_aws`. */
const metricSchema = z.object({ Name: z.string(), Unit: z.string().default('None') });
const emfSchema = z.looseObject({
  _aws: z.object({
    Timestamp: z.number(),
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(metricSchema),
      }),
    ),
  }),
});

/**
 * The datapoints of one line of a function's log: one for each metric and each set of dimensions. Like CloudWatch, it
 * ignores any other line, and metrics without a value.
 */
export function parseEmf(line: string): Datapoint[] {
  if (!line.startsWith('{') || !line.includes('"_aws"')) return [];
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return []; // the line is still being written
  }
  const parsed = emfSchema.safeParse(json);
  if (!parsed.success) return [];
  const { _aws, ...fields } = parsed.data;
  return _aws.CloudWatchMetrics.flatMap(({ Namespace: namespace, Dimensions, Metrics }) =>
    Metrics.flatMap(({ Name: name, Unit: unit }) => {
      const values = [fields[name]].flat().filter((value) => typeof value === 'number');
      if (values.length === 0) return [];
      return Dimensions.map((names) => {
        const dimensions = Object.fromEntries(names.map((each) => [each, String(fields[each])]));
        return { namespace, name, unit, dimensions, atMs: _aws.Timestamp, values };
      });
    }),
  );
}

/** Everything the functions of a folder's pipeline emitted since a time (epoch ms), log by log. */
export async function* emittedIn(folder: string, sinceMs: number): AsyncGenerator<Datapoint> {
  const logs = logsOf(folder);
  for (const file of existsSync(logs) ? readdirSync(logs) : []) {
    if (!/^lambda-.*\.log$/.test(file)) continue;
    for await (const line of createInterface({ input: createReadStream(join(logs, file)) })) {
      yield* parseEmf(line).filter(({ atMs }) => atMs >= sinceMs);
    }
  }
}

/** The statistics of each metric, sorted by service, other dimensions and name. */
export async function statisticsOf(
  datapoints: AsyncIterable<Datapoint> | Iterable<Datapoint>,
): Promise<MetricStatistics[]> {
  const none = { count: 0, sum: 0, min: Infinity, max: -Infinity, last: Number.NaN, lastAt: '' };
  const byMetric = new Map<string, MetricStatistics>();
  for await (const { atMs, values, ...metric } of datapoints) {
    const { service = '', ...others } = metric.dimensions;
    const identity = JSON.stringify([service, others, metric.name, metric.namespace]);
    const at = new Date(atMs).toISOString();
    const sums = byMetric.get(identity) ?? { ...metric, ...none };
    byMetric.set(identity, sums);
    for (const value of values) {
      sums.count += 1;
      sums.sum += value;
      sums.min = Math.min(sums.min, value);
      sums.max = Math.max(sums.max, value);
      if (at >= sums.lastAt) Object.assign(sums, { last: value, lastAt: at });
    }
  }
  return [...byMetric].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, statistics]) => statistics);
}
