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

/** CloudWatch's statistics of one metric. */
export interface MetricStatistics extends Omit<Datapoint, 'atMs' | 'values'> {
  /** The number of values, CloudWatch's SampleCount. */
  count: number;
  sum: number;
  min: number;
  max: number;
  last: number;
  /** When the last one was emitted, epoch ms. */
  lastMs: number;
}

/** The part of CloudWatch's embedded metric format that is read here; the values are fields next to `_aws`. */
const emf = z.looseObject({
  _aws: z.object({
    Timestamp: z.number(),
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string(), Unit: z.string().default('None') })),
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
  const parsed = emf.safeParse(json);
  if (!parsed.success) return [];
  const { _aws, ...fields } = parsed.data;
  return _aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Metrics.flatMap(({ Name, Unit }) => {
      const values = [fields[Name]].flat().filter((value) => typeof value === 'number');
      if (values.length === 0) return [];
      return Dimensions.map((names) => ({
        namespace: Namespace,
        name: Name,
        unit: Unit,
        dimensions: Object.fromEntries(names.map((name) => [name, String(fields[name])])),
        atMs: _aws.Timestamp,
        values,
      }));
    }),
  );
}

/** Everything the functions of a folder's pipeline emitted since a time (epoch ms), log by log. */
export async function* emittedIn(folder: string, sinceMs: number): AsyncGenerator<Datapoint> {
  const logs = logsOf(folder);
  if (!existsSync(logs)) return;
  for (const file of readdirSync(logs)) {
    if (!/^lambda-.*\.log$/.test(file)) continue;
    for await (const line of createInterface({ input: createReadStream(join(logs, file)) })) {
      for (const datapoint of parseEmf(line)) if (datapoint.atMs >= sinceMs) yield datapoint;
    }
  }
}

/** The statistics of each metric, sorted by service, other dimensions and name. */
export async function statisticsOf(
  datapoints: AsyncIterable<Datapoint> | Iterable<Datapoint>,
): Promise<MetricStatistics[]> {
  const none = { count: 0, sum: 0, min: Infinity, max: -Infinity, last: Number.NaN, lastMs: -Infinity };
  const byMetric = new Map<string, MetricStatistics>();
  for await (const { atMs, values, ...metric } of datapoints) {
    const { namespace, name, dimensions } = metric;
    const identity = JSON.stringify([namespace, name, Object.entries(dimensions).sort()]);
    const sums = byMetric.get(identity) ?? { ...metric, ...none };
    byMetric.set(identity, sums);
    for (const value of values) {
      sums.count += 1;
      sums.sum += value;
      sums.min = Math.min(sums.min, value);
      sums.max = Math.max(sums.max, value);
      if (atMs >= sums.lastMs) Object.assign(sums, { last: value, lastMs: atMs });
    }
  }
  const order = ({ dimensions: { service = '', ...others }, name }: MetricStatistics) =>
    [service, ...Object.values(others), name].join('\0');
  return [...byMetric.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}
