import type { Datapoint } from './emf.ts';

/** CloudWatch's statistics of one metric with its dimensions. */
export interface MetricStatistics extends Pick<Datapoint, 'namespace' | 'name' | 'unit' | 'dimensions'> {
  /** Values, CloudWatch's SampleCount. */
  count: number;
  sum: number;
  min: number;
  max: number;
  last: number;
  /** When the last one was emitted, epoch ms. */
  lastMs: number;
}

/** The statistics of each metric and set of dimensions, sorted by service, other dimensions and name. */
export async function statisticsOf(
  datapoints: AsyncIterable<Datapoint> | Iterable<Datapoint>,
): Promise<MetricStatistics[]> {
  const byMetric = new Map<string, MetricStatistics>();
  for await (const { namespace, name, unit, dimensions, atMs, values } of datapoints) {
    const identity = JSON.stringify([namespace, ...Object.entries(dimensions).sort(), name]);
    for (const value of values) {
      const soFar = byMetric.get(identity);
      const isLast = soFar === undefined || atMs >= soFar.lastMs;
      byMetric.set(identity, {
        namespace,
        name,
        unit,
        dimensions,
        count: (soFar?.count ?? 0) + 1,
        sum: (soFar?.sum ?? 0) + value,
        min: Math.min(soFar?.min ?? value, value),
        max: Math.max(soFar?.max ?? value, value),
        last: isLast ? value : soFar.last,
        lastMs: isLast ? atMs : soFar.lastMs,
      });
    }
  }
  const order = ({ dimensions: { service = '', ...others }, name }: MetricStatistics) =>
    [service, ...Object.values(others), name].join('\0');
  return [...byMetric.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}
