/**
 * What functions that run in the test's own process emit: their lines of CloudWatch's embedded metric format are taken
 * off stdout from the import of this module on, and matched with the one list of metrics.
 */
import {
  dimensionsOf,
  METRICS_NAMESPACE,
  type MetricGroup,
  type MetricName,
  metricGroup,
} from '../core/runtime/metrics.ts';
import { type Datapoint, parseEmf } from '../local/pipeline/emitted-metrics.ts';

/** The stage that functions under test are told. */
export const STAGE = 'test';

/** One line: what one call emitted. */
export interface Emission {
  group: MetricGroup;
  /** With those of the group. */
  dimensions: Readonly<Record<string, string>>;
  /** A rare metric that was left out is 0. */
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
  const group = first.dimensions.service as MetricGroup;
  const { metrics, dimensions: own, rare = [] } = metricGroup(group);
  const ofNoOne = Object.fromEntries(own.map((name) => [name, ''])) as never;
  for (const each of datapoints) {
    const expected = Object.keys(dimensionsOf(group, STAGE, ofNoOne, each.name as MetricName<typeof group>));
    const isAsListed =
      each.namespace === METRICS_NAMESPACE &&
      metrics[each.name] === each.unit &&
      Object.keys(each.dimensions).toSorted().join() === expected.toSorted().join() &&
      Object.values(each.dimensions).every((value) => value !== '');
    if (!isAsListed) throw new Error(`No metric of ${group}: ${JSON.stringify(each)}`);
  }
  return {
    group,
    dimensions: Object.assign({}, ...datapoints.map(({ dimensions }) => dimensions)),
    values: Object.fromEntries([
      ...rare.map((name) => [name, 0]),
      ...datapoints.map(({ name, values: [value] }) => [name, Number(value)]),
    ]),
  };
}
