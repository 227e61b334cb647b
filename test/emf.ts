/**
 * What functions that run in the test's own process emit: their lines of CloudWatch's embedded metric format are taken
 * off stdout from the import of this module on, and matched with the one list of metrics.
 */
import { dimensionsOf, METRIC_GROUPS, METRICS_NAMESPACE, type MetricGroup } from '../core/runtime/metrics.ts';
import { type Datapoint, parseEmf } from '../local/pipeline/emitted-metrics.ts';

/** The stage that functions under test are told. */
export const STAGE = 'test';

/** One line: what one call emitted. */
export interface Emission {
  group: MetricGroup;
  /** All of them, as CloudWatch knows them. */
  dimensions: Readonly<Record<string, string>>;
  values: Readonly<Record<string, number>>;
}

let lines: string[] = [];

const write = process.stdout.write.bind(process.stdout);
process.stdout.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
  const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
  if (parseEmf(text).length === 0) return write(chunk, ...rest);
  lines.push(text);
  return true;
}) as typeof process.stdout.write;

/** From now on only what is emitted from now on. */
export function forgetMetrics(): void {
  lines = [];
}

/** What was emitted so far, in its order. @throws where a line is not as the list of metrics says */
export function emissions(): Emission[] {
  return lines.map((line) => emissionOf(parseEmf(line)));
}

/** The values that one group emitted so far, one object for each time. */
export function emittedBy(group: MetricGroup): Emission['values'][] {
  return emissions()
    .filter((each) => each.group === group)
    .map(({ values }) => values);
}

/** The datapoints of one line. @throws where namespace, dimensions, names or units are not those of one group */
export function emissionOf(datapoints: readonly Datapoint[]): Emission {
  const [first] = datapoints;
  if (!first) throw new Error('A line without a metric');
  const { dimensions } = first;
  const group = dimensions.service as MetricGroup;
  const { metrics, dimensions: own } = METRIC_GROUPS[group];
  const units: Record<string, string> = metrics;
  const expected = Object.keys(
    dimensionsOf(group, STAGE, Object.fromEntries(own.map((name) => [name, ''])) as never),
  );
  for (const each of datapoints) {
    const isAsListed =
      each.namespace === METRICS_NAMESPACE &&
      units[each.name] === each.unit &&
      Object.keys(each.dimensions).toSorted().join() === expected.toSorted().join() &&
      Object.values(each.dimensions).every((value) => value !== '');
    if (!isAsListed) throw new Error(`No metric of ${group}: ${JSON.stringify(each)}`);
  }
  const values = Object.fromEntries(datapoints.map(({ name, values: [value] }) => [name, Number(value)]));
  return { group, dimensions, values };
}
