import { Command } from 'commander';
import type { Check } from '../core/operate/doctor.ts';
import { textTable } from '../core/text/text-table.ts';
import { readEndpoints } from '../local/pipeline/endpoints.ts';
import { runOperation } from './operate.ts';
import { runCommand } from './run-command.ts';
import { type Target, type TargetFlags, withTarget, withTargetOptions } from './target.ts';

interface DoctorFlags extends TargetFlags {
  json?: boolean;
}

const SIGNS = { ok: '✔', warn: '!', fail: '✖' } as const;

const program = withTargetOptions(
  new Command('npm run doctor --')
    .description(
      'Looks whether everything that the pipeline stands on is there and in time: Kafka, topic, consumer lag, OpenSearch, index templates, lake, last slot ingested and indexed, freshness, dead letters.',
    )
    .option('--json', 'the result as one JSON object'),
).addHelpText(
  'after',
  `
Exit codes: 0 nothing failed (there may be warnings), 1 a check failed, 2 the checks could not be run.

With --json: {target, now, healthy, endpoints, checks: [{name, status: ok|warn|fail, finding, advice}]}

Examples:
  npm run doctor                 this machine: the running pipeline, or the data of the last run
  npm run doctor -- --stage dev  a deployed stage`,
);

/** On this machine: what listens where. */
function engines({ folder }: DoctorFlags, { stores }: Target): Check[] {
  if (!stores) return [];
  const running = readEndpoints(folder);
  const pid = (name: string) => (running?.pids[name] === undefined ? '' : ` (pid ${running.pids[name]})`);
  const pipeline: Check = running
    ? {
        name: 'pipeline',
        status: 'ok',
        finding: `running${pid('start')}, polls ${Object.entries(running.sources)
          .map(([name, url]) => `${name} (${url})`)
          .join(', ')}`,
      }
    : {
        name: 'pipeline',
        status: 'warn',
        finding: 'not running; this looks at its data, or at the servers that were named',
        advice: 'Start it with "npm start".',
      };
  const urls = `Kafka ${stores.kafka}${pid('kafka')}, OpenSearch ${stores.openSearch}${pid('opensearch')}, S3 ${stores.s3}${pid('s3')}`;
  return [pipeline, { name: 'engines', status: 'ok', finding: urls }];
}

function print(checks: readonly Check[], target: Target, now: string): void {
  const table = textTable(['', 'check', 'finding']);
  table.options.colAligns = ['left', 'left', 'left'];
  for (const { name, status, finding, advice } of checks) {
    table.push([SIGNS[status], name, finding]);
    if (advice) table.push(['', '', `→ ${advice}`]);
  }
  process.stdout.write(`${target.title}, now ${now}\n${table}\n`);
}

const flags = program.parse().opts<DoctorFlags>();
process.exit(
  await runCommand((signal) =>
    withTarget(flags, ['kafka', 'openSearch', 's3'], signal, async (target) => {
      const now = target.now.toISOString();
      const local = engines(flags, target);
      // On this machine nothing ought to come in while no pipeline runs.
      const input = { now, collecting: local[0]?.status !== 'warn' };
      const [checks = []] = await runOperation<Check[]>(target, 'doctor', input, {
        folder: flags.folder,
        signal,
      });
      const all = [...local, ...checks];
      const healthy = all.every(({ status }) => status !== 'fail');
      if (flags.json) {
        const { title, stores: endpoints } = target;
        process.stdout.write(`${JSON.stringify({ target: title, now, healthy, endpoints, checks: all })}\n`);
      } else print(all, target, now);
      return healthy ? 0 : 1;
    }),
  ),
);
