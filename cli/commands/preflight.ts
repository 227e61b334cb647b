import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ok } from '../../core/operate/doctor/check.ts';
import type { Finding } from '../../core/operate/preflight/finding.ts';
import { preflight } from '../../core/operate/preflight/preflight.ts';
import { sourceNamed } from '../../exchanges/source-config.ts';
import { layOver, readSettings, type StageSettings } from '../../lib/config/settings.ts';
import { stageConfigByName } from '../../lib/config/stages.ts';
import { awsAccount } from '../../stores/aws/account.ts';
import { checkTable } from '../check-table.ts';
import { createCommand, perform } from '../command.ts';
import { note, print } from '../print.ts';
import { needsOf } from '../stage-needs.ts';

interface PreflightFlags {
  stage: string;
  settings?: string;
  write?: string;
  json?: boolean;
}

/** What a stage polls instead of an exchange that refuses the region. */
const SAFE_SOURCE = {
  name: 'kraken',
  settings: { sources: [{ ...sourceNamed('kraken'), samplingIntervalMinutes: 2 }] },
};

const help = `It only reads. To learn whether MSK accepts a broker type it asks for a cluster in subnets that do not exist, which MSK
cannot create.

Exit codes: 0 nothing stands in the way of a deployment (there may be warnings), 1 it would fail, 2 the checks could not run.

With --json: {stage, ready, checks: [{name, status: ok|warn|fail, finding, advice, settings}], settings}
"settings" is the settings file that the account needs, yours included; absent if nothing has to change.

Examples:
  npm run preflight -- --stage dev
  npm run preflight -- --stage prod --settings mine.json --write mine.json`;

const description =
  'Checks an AWS account and region before the first deployment: quotas, zones, what MSK and OpenSearch offer, exchanges, cost. Uses the credentials and the region of the environment.';

export const command = createCommand('preflight', description, { help })
  .option('--stage <name>', 'dev, prod, or your own with --settings', 'dev')
  .option('--settings <file>', 'your settings, as in cdk deploy -c settings=FILE')
  .option('--write <file>', 'write the proposed settings to this file')
  .option('--json', 'print the result as one JSON object')
  .action(
    perform(async (_signal, flags: PreflightFlags) => {
      const { stage, settings: file } = flags;
      const given = readSettings(file);
      const needs = needsOf(stageConfigByName(stage, given));
      const [findings, cost] = await Promise.all([
        preflight(awsAccount(), needs, SAFE_SOURCE),
        monthlyCost(stage, file),
      ]);
      const checks = [...findings, cost];
      const ready = checks.every(({ status }) => status !== 'fail');
      const settings = proposal(given, checks);
      if (flags.json) print(JSON.stringify({ stage, ready, checks, settings }));
      else print(checkTable(checks), ...verdict(ready, settings));
      if (settings && flags.write !== undefined) {
        writeFileSync(flags.write, `${JSON.stringify(settings, null, 2)}\n`);
        note(`✔ ${flags.write}: deploy with -c settings=${flags.write}`);
      }
      return ready ? 0 : 1;
    }),
  );

/** The given settings with what the findings need; undefined if they need nothing. */
function proposal(given: StageSettings, findings: readonly Finding[]): StageSettings | undefined {
  const needed = findings.flatMap(({ settings }) => settings ?? []);
  return needed.length === 0 ? undefined : (needed.reduce(layOver, given) as StageSettings);
}

function verdict(ready: boolean, settings: StageSettings | undefined): string[] {
  return [
    '',
    ready ? 'Nothing stands in the way of a deployment.' : 'A deployment would fail, or would have no data.',
    ...(settings
      ? ['Proposed settings (--write FILE, then -c settings=FILE):', JSON.stringify(settings, null, 2)]
      : []),
  ];
}

const SCALE = fileURLToPath(new URL('../../scale/main.ts', import.meta.url));

/** By the model of `npm run scale`, which nothing imports. */
function monthlyCost(stage: string, settings: string | undefined): Promise<Finding> {
  const args = [SCALE, '--stage', stage, '--json', ...(settings ? ['--settings', settings] : [])];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (_, stdout, stderr) => {
      try {
        const { usd } = JSON.parse(stdout) as { usd: number };
        const finding = `about $${Math.round(usd)} a month at the list prices of us-east-1 ("npm run scale" itemises them)`;
        resolve({ name: 'cost', ...ok(finding) });
      } catch {
        const advice = '"npm run scale" says more.';
        resolve({ name: 'cost', status: 'warn', finding: stderr.trim() || 'unknown', advice });
      }
    });
  });
}
