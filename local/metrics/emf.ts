import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { logsOf } from '../pipeline/last-run.ts';

/** One metric of one line, as CloudWatch would take it: its name and all of its dimensions are its identity. */
export interface Datapoint {
  namespace: string;
  name: string;
  unit: string;
  dimensions: Readonly<Record<string, string>>;
  /** Epoch ms. */
  atMs: number;
  values: readonly number[];
}

/** CloudWatch's embedded metric format, as far as it counts: the metrics are fields beside `_aws`. */
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
 * The datapoints of one line of a function's log: one for each metric and each set of dimensions. None where the line
 * is something else, or has no value of what it names: CloudWatch would not see it either.
 */
export function parseEmf(line: string): Datapoint[] {
  if (!line.startsWith('{') || !line.includes('"_aws"')) return [];
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return []; // a line that is being written
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

/** What the functions of a folder's pipeline emitted from a time (epoch ms) on; log by log. */
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
