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

interface Directive {
  Namespace: string;
  Dimensions: string[][];
  Metrics: { Name: string; Unit: string }[];
}

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
    const { _aws, ...line } = JSON.parse(stdout[0] as string);
    const own = ownOf(group) as never;
    const expected = Object.entries(METRIC_GROUPS[group].metrics).map(([Name, Unit]) => ({
      Name,
      Unit,
      dimensions: Object.keys(dimensionsOf(group, 'prod', own, Name as never)),
    }));
    const emitted = _aws.CloudWatchMetrics.flatMap((directive: Directive) => {
      expect(directive.Namespace).toBe(METRICS_NAMESPACE);
      return directive.Metrics.flatMap((metric) =>
        directive.Dimensions.map((dimensions) => ({ ...metric, dimensions })),
      );
    });
    const byName = (a: { Name: string }, b: { Name: string }) => a.Name.localeCompare(b.Name);
    expect(emitted.toSorted(byName)).toEqual(expected.toSorted(byName));
    expect(line).toEqual({ service: group, stage: 'prod', ...ownOf(group), ...valuesOf(group) });
    expect(Date.now() - _aws.Timestamp).toBeLessThan(5_000);
  });

  it('of the whole stage have no dimension of a source, but the log line names the source', () => {
    emitAll('ingest');
    const line = JSON.parse(stdout[0] as string);
    const directive = line._aws.CloudWatchMetrics.find(({ Metrics }: Directive) =>
      Metrics.some(({ Name }) => Name === 'TickersFetched'),
    );
    expect(directive.Dimensions).toEqual([['service', 'stage']]);
    expect(line.source).toBe('kraken-spot');
  });

  it('leave out failure metrics that are 0, so that they cost nothing', () => {
    emitAll('ingest', { ...valuesOf('ingest'), CategoriesFailed: 0, PollsSucceeded: 0 } as never);
    const line = JSON.parse(stdout[0] as string);
    expect(line).not.toHaveProperty('CategoriesFailed');
    expect(line).toMatchObject({ PollsSucceeded: 0, PollsFailed: expect.any(Number) });
    emitAll('freshness', { StaleCategories: 0 } as never);
    expect(stdout).toHaveLength(1);
  });

  it('leave out what has no value, and keep 0', () => {
    emitAll('ingest', { ...valuesOf('ingest'), RejectedShare: undefined, RecordsProduced: 0 } as never);
    const line = JSON.parse(stdout[0] as string);
    expect(JSON.stringify(line)).not.toContain('RejectedShare');
    expect(line).toMatchObject({ RecordsProduced: 0 });
  });

  it('print nothing without values, not even a warning', () => {
    emitAll('freshness', { StaleCategories: undefined } as never);
    expect(stdout).toEqual([]);
  });

  it('carry nothing over from the previous line', () => {
    emitAll('ingest');
    emitAll('watch');
    expect(JSON.parse(stdout[1] as string)).not.toHaveProperty('source');
    expect(JSON.parse(stdout[1] as string)).not.toHaveProperty('PollsFailed');
  });

  it('cause no warning of Powertools', () => {
    for (const group of GROUPS) emitAll(group);
    expect(stderr).toEqual([]);
  });
});
