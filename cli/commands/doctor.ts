import type { Check } from '../../core/operate/doctor/check.ts';
import { withoutCredentials } from '../../local/engines/s3-client.ts';
import { readEndpoints } from '../../local/pipeline/endpoints.ts';
import { checkTable } from '../check-table.ts';
import { createCommand, perform } from '../command.ts';
import { runOperation } from '../operation.ts';
import { print } from '../print.ts';
import { type TargetFlags, withTarget, withTargetOptions } from '../targets/choose.ts';
import type { Target } from '../targets/target.ts';

interface DoctorFlags extends TargetFlags {
  json?: boolean;
}

const help = `Exit codes: 0 no check failed (there may be warnings), 1 a check failed, 2 the checks could not run.

With --json: {target, now, healthy, endpoints, checks: [{name, status: ok|warn|fail, finding, advice}]}

Examples:
  npm run doctor                 this machine: the running pipeline, or the data of the last run
  npm run doctor -- --stage dev  a deployed stage`;

const description =
  'Checks every part of the pipeline: Kafka, topic, consumer lag, OpenSearch, index templates, lake, last slot ingested and indexed, freshness, dead letters.';

export const command = withTargetOptions(createCommand('doctor', description, { help }))
  .option('--json', 'print the result as one JSON object')
  .action(
    perform((signal, flags: DoctorFlags) =>
      withTarget(flags, ['kafka', 'openSearch', 's3'], signal, async (target) => {
        const now = target.now.toISOString();
        const local = localChecks(flags, target);
        // On this machine, no data is expected to arrive unless the pipeline runs.
        const input = { now, collecting: local[0]?.status !== 'warn' };
        const { folder } = flags;
        const slices = await runOperation<Check[]>(target, 'doctor', input, { folder, signal });
        const checks = [...local, ...slices.flat()];
        const healthy = checks.every(({ status }) => status !== 'fail');
        const { title, stores } = target;
        const endpoints = stores && { ...stores, s3: withoutCredentials(stores.s3) };
        if (flags.json) print(JSON.stringify({ target: title, now, healthy, endpoints, checks }));
        else print(`${title}, now ${now}`, checkTable(checks));
        return healthy ? 0 : 1;
      }),
    ),
  );

/** On this machine: whether the pipeline runs, and where the engines listen. */
function localChecks({ folder }: DoctorFlags, { stores }: Target): Check[] {
  if (!stores) return [];
  const running = readEndpoints(folder);
  const pid = (name: string) => (running?.pids[name] === undefined ? '' : ` (pid ${running.pids[name]})`);
  const sources = Object.entries(running?.sources ?? {}).map(([name, url]) => `${name} (${url})`);
  const pipeline: Check = running
    ? { name: 'pipeline', status: 'ok', finding: `running${pid('start')}, polls ${sources.join(', ')}` }
    : {
        name: 'pipeline',
        status: 'warn',
        finding: 'not running; checking the data of the last run, or the servers given by options',
        advice: 'Start it with "npm start".',
      };
  const urls = `Kafka ${stores.kafka}${pid('kafka')}, OpenSearch ${stores.openSearch}${pid('opensearch')}, S3 ${withoutCredentials(stores.s3)}${pid('s3')}`;
  return [pipeline, { name: 'engines', status: 'ok', finding: urls }];
}
