import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, Option } from 'commander';
import { DASHBOARD_ID, savedObjects, savedObjectsNdjson } from '../charts/saved-objects.ts';
import { setUpDashboards } from '../lambdas/setup/dashboards.ts';
import { folderOption, httpUrl } from './options.ts';
import { runCommand } from './run-command.ts';

interface DashboardsFlags {
  out?: string;
  url?: string;
  user?: string;
  folder: string;
}

/** A person waits so long for a Dashboards that is just starting. */
const PATIENCE_MS = 60_000;

const program = new Command('npm run dashboards --')
  .description(
    'Builds the saved objects of OpenSearch Dashboards: index patterns, charts, a search and one dashboard. Needs no running pipeline.',
  )
  .option('--out <file>', 'write them to a file, for importing by hand (Stack Management → Saved objects)')
  .addOption(
    new Option(
      '--url <url>',
      'import them into a running Dashboards; what is replaced is kept in a file',
    ).argParser(httpUrl),
  )
  .option('--user <name>', 'who signs in there; the password is read from DASHBOARDS_PASSWORD')
  .addOption(folderOption)
  .addHelpText(
    'after',
    `
Their ids begin with "crypto-market-insights-" and never change: importing again replaces them, and touches nothing else.
A deployed stage imports them by itself.

Examples:
  npm run dashboards -- --out dashboards.ndjson
  npm run dashboards -- --url http://127.0.0.1:5601
  DASHBOARDS_PASSWORD=… npm run dashboards -- --url https://localhost:8443/_dashboards --user master`,
  );

async function importInto(url: string, { user, folder }: DashboardsFlags): Promise<void> {
  const password = process.env.DASHBOARDS_PASSWORD;
  if (user !== undefined && !password) {
    throw new Error(`Set DASHBOARDS_PASSWORD to the password of ${user}.`);
  }
  const imported = await setUpDashboards({
    url,
    user: user !== undefined && password ? { username: user, password } : undefined,
    deadlineMs: Date.now() + PATIENCE_MS,
    onRetry: ({ error }) => process.stderr.write(`… ${(error as Error).message}; trying again\n`),
    async keepBackup(ndjson) {
      const file = join(
        folder,
        'backups',
        `dashboards-${new Date().toISOString().replaceAll(':', '-')}.ndjson`,
      );
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, ndjson);
      process.stderr.write(`Kept what was there in ${file}.\n`);
    },
  });
  process.stdout.write(
    `✔ Imported ${imported} objects. The dashboard is at ${url}/app/dashboards#/view/${DASHBOARD_ID}\n`,
  );
}

const flags = program.parse().opts<DashboardsFlags>();
if (flags.out === undefined && flags.url === undefined)
  program.error('error: say where to: --out <file> or --url <url>', { exitCode: 2 });
process.exit(
  await runCommand(async () => {
    if (flags.out !== undefined) {
      writeFileSync(flags.out, savedObjectsNdjson());
      process.stdout.write(`✔ Wrote ${savedObjects().length} objects to ${flags.out}.\n`);
    }
    if (flags.url !== undefined) await importInto(flags.url, flags);
    return 0;
  }),
);
