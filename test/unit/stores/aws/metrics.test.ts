import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  dimensionsOf,
  METRIC_GROUPS,
  METRICS_NAMESPACE,
  type MetricGroup,
} from '../../../../core/runtime/metrics.ts';
import { createMetrics } from '../../../../stores/aws/metrics.ts';

const OWN = { exchange: 'kraken', category: 'spot', source: 'kraken-spot' };
const GROUPS = Object.keys(METRIC_GROUPS) as MetricGroup[];

/** What was printed, line by line. */
let stdout: string[];
let stderr: string[];
beforeEach(() => {
  stdout = [];
  stderr = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => stdout.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => stderr.push(String(text)) > 0);
  return () => vi.restoreAllMocks();
});

/** A different value for each metric. */
const valuesOf = (group: MetricGroup) =>
  Object.fromEntries(Object.keys(METRIC_GROUPS[group].metrics).map((name, at) => [name, at + 0.5]));
const ownOf = (group: MetricGroup) =>
  Object.fromEntries(METRIC_GROUPS[group].dimensions.map((name) => [name, OWN[name]]));
const emitAll = (group: MetricGroup, values = valuesOf(group)) =>
  createMetrics('prod')(group, ownOf(group) as never, values as never);

describe('the metrics of a function', () => {
  it.each(GROUPS)('of %s are one line with the dimensions that the alarms use', (group) => {
    emitAll(group);
    expect(stdout).toHaveLength(1);
    const line = JSON.parse(stdout[0] as string);
    const dimensions = dimensionsOf(group, 'prod', ownOf(group) as never);
    expect(line).toEqual({
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [
          {
            Namespace: METRICS_NAMESPACE,
            Dimensions: [Object.keys(dimensions)],
            Metrics: Object.entries(METRIC_GROUPS[group].metrics).map(([Name, Unit]) => ({ Name, Unit })),
          },
        ],
      },
      ...dimensions,
      ...valuesOf(group),
    });
    expect(Date.now() - line._aws.Timestamp).toBeLessThan(5_000);
  });

  it('leave out what has no value, and keep 0', () => {
    emitAll('ingest', { ...valuesOf('ingest'), RejectedShare: undefined, PollsFailed: 0 } as never);
    const line = JSON.parse(stdout[0] as string);
    const names = line._aws.CloudWatchMetrics[0].Metrics.map(({ Name }: { Name: string }) => Name);
    expect(names).not.toContain('RejectedShare');
    expect(line).not.toHaveProperty('RejectedShare');
    expect(line).toMatchObject({ PollsFailed: 0 });
  });

  it('print nothing without values, not even a warning', () => {
    emitAll('freshness', { NewestTickerAge: undefined } as never);
    expect(stdout).toEqual([]);
  });

  it('carry nothing over from the previous line', () => {
    emitAll('ingest');
    emitAll('summaries');
    expect(JSON.parse(stdout[1] as string)).not.toHaveProperty('exchange');
    expect(JSON.parse(stdout[1] as string)).not.toHaveProperty('PollsFailed');
  });

  it('cause no warning of Powertools', () => {
    for (const group of GROUPS) emitAll(group);
    expect(stderr).toEqual([]);
  });
});
