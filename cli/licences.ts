import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { textTable } from '../core/text/text-table.ts';
import { isAllowed, licencesPage, licensedPackages, type PackageLock } from './licence-list.ts';
import { runCommand } from './run-command.ts';

const fileOf = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const flags = new Command('npm run licences --')
  .description(
    'The licence of every package that runs in production, from package-lock.json. Ends with 1 where one is not in the list of allowed licences.',
  )
  .option('--json', 'the packages as one JSON array')
  .option('--write-docs', 'write docs/licences.md, too')
  .parse()
  .opts<{ json?: boolean; writeDocs?: boolean }>();

process.exitCode = await runCommand(async () => {
  const packages = licensedPackages(
    JSON.parse(readFileSync(fileOf('package-lock.json'), 'utf8')) as PackageLock,
  );
  const others = packages.filter(({ licence }) => !isAllowed(licence));
  if (flags.json) process.stdout.write(`${JSON.stringify(packages)}\n`);
  else {
    const table = textTable(['package', 'version', 'licence']);
    table.options.colAligns = ['left', 'left', 'left'];
    for (const { name, version, licence } of packages) table.push([name, version, licence]);
    process.stdout.write(`${table}\n\n${packages.length} packages\n`);
  }
  if (flags.writeDocs) writeFileSync(fileOf('docs/licences.md'), licencesPage(packages));
  for (const { name, version, licence } of others) {
    process.stderr.write(
      `✖ ${name} ${version}: ${licence}. If its terms suit a bundle, add it to ALLOWED_LICENCES in cli/licence-list.ts.\n`,
    );
  }
  return others.length > 0 ? 1 : 0;
});
