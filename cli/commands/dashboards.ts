import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DASHBOARD_ID } from '../../charts/dashboards-layout.ts';
import { type OpeningRange, savedObjects, savedObjectsNdjson } from '../../charts/saved-objects.ts';
import { setUpDashboards } from '../../lambdas/setup/dashboards.ts';
import { createCommand, perform } from '../command.ts';
import { httpUrl, instantOrRelative, withFolderOption } from '../options.ts';
import { note, print } from '../print.ts';

interface DashboardsFlags {
  out?: string;
  url?: string;
  user?: string;
  from?: string;
  to?: string;
  folder: string;
}

/** How long to wait for a Dashboards that is just starting. */
const PATIENCE_MS = 60_000;

const help = `All ids begin with "crypto-market-insights-" and never change: an import replaces these objects and touches nothing
else. A deployed stage imports them by itself.

Examples:
  npm run dashboards -- --out dashboards.ndjson
  npm run dashboards -- --url http://127.0.0.1:5601
  npm run dashboards -- --url http://127.0.0.1:5601 --from 2018-01-01 --to 2018-08-01    # what the market replay replays
  DASHBOARDS_PASSWORD=… npm run dashboards -- --url https://localhost:8443/_dashboards --user master`;

export const command = withFolderOption(
  createCommand(
    'dashboards',
    'Creates the saved objects of OpenSearch Dashboards: index patterns, charts, a search and three dashboards. No pipeline needs to run.',
    { help },
  ),
)
  .option('--out <file>', 'write them to a file, to import by hand (Stack Management → Saved objects)')
  .option('--url <url>', 'import them into this Dashboards; a backup of what they replace is kept', httpUrl)
  .option('--user <name>', 'the user to sign in as; DASHBOARDS_PASSWORD holds the password')
  .option(
    '--from <time>',
    'the time range that dashboards open with: ISO 8601, or such as now-30d (default: now-7d)',
    instantOrRelative,
  )
  .option('--to <time>', 'its end (default: now)', instantOrRelative)
  .action(
    perform(async (_signal, flags: DashboardsFlags) => {
      const { out, url } = flags;
      const range = openingRange(flags);
      if (out === undefined && url === undefined) {
        command.error('error: choose a destination: --out <file> or --url <url>', { exitCode: 2 });
      }
      if (out !== undefined) {
        writeFileSync(out, savedObjectsNdjson(range));
        print(`✔ Wrote ${savedObjects().length} objects to ${out}.`);
      }
      if (url !== undefined) await importInto(url, range, flags);
      return 0;
    }),
  );

function openingRange({ from, to = 'now' }: DashboardsFlags): OpeningRange | undefined {
  if (from === undefined) {
    if (to !== 'now')
      command.error('error: give --from, too: dashboards open with both ends', { exitCode: 2 });
    return undefined;
  }
  if (Date.parse(from) >= Date.parse(to)) {
    command.error(`error: --from ${from} is not before --to ${to}`, { exitCode: 2 });
  }
  return { from, to };
}

async function importInto(
  url: string,
  range: OpeningRange | undefined,
  { user, folder }: DashboardsFlags,
): Promise<void> {
  const password = process.env.DASHBOARDS_PASSWORD;
  if (user !== undefined && !password) {
    throw new Error(`Set DASHBOARDS_PASSWORD to the password of ${user}.`);
  }
  const imported = await setUpDashboards({
    url,
    range,
    user: user !== undefined && password ? { username: user, password } : undefined,
    deadlineMs: Date.now() + PATIENCE_MS,
    onRetry: ({ error }) => note(`… ${(error as Error).message}; trying again`),
    async keepBackup(ndjson) {
      const name = `dashboards-${new Date().toISOString().replaceAll(':', '-')}.ndjson`;
      const file = join(folder, 'backups', name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, ndjson);
      note(`Saved the replaced objects in ${file}.`);
    },
  });
  print(`✔ Imported ${imported} objects. The overview is at ${url}/app/dashboards#/view/${DASHBOARD_ID}`);
}
