import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { markdownTable } from '../../core/text/markdown-table.ts';
import { textTable } from '../../core/text/text-table.ts';
import { createCommand, perform } from '../command.ts';
import { note, print } from '../print.ts';

/** A package that runs in production. */
interface LicensedPackage {
  name: string;
  version: string;
  /** An SPDX expression; "none" if the package names no licence. */
  licence: string;
  /** Whether package.json lists it. */
  direct: boolean;
}

/** The part of package-lock.json that is read here. */
export interface PackageLock {
  packages: Record<
    string,
    {
      version?: string;
      license?: string;
      dev?: boolean;
      dependencies?: Record<string, string>;
      optionalDependencies?: Record<string, string>;
    }
  >;
}

/**
 * Licences that ask for no more than their text and the authors' names, so a bundle may contain the code whatever its
 * own licence is. Identifiers of https://spdx.org/licenses/.
 */
const ALLOWED_LICENCES = [
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause'],
  ...['ISC', 'MIT', 'MIT-0', 'Unlicense'],
];

const fileOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const command = createCommand(
  'licences',
  'Lists the licence of every package that runs in production, from package-lock.json.',
  { help: 'Exit codes: 0 all licences are allowed, 1 some are not, 2 failed.' },
)
  .option('--json', 'print the packages as one JSON array')
  .option('--write-docs', 'also write docs/licences.md')
  .action(
    perform(async (_signal, flags: { json?: boolean; writeDocs?: boolean }) => {
      const packages = licensedPackages(JSON.parse(readFileSync(fileOf('package-lock.json'), 'utf8')));
      const rows = packages.map(({ name, version, licence }) => [name, version, licence]);
      if (flags.json) print(JSON.stringify(packages));
      else {
        print(textTable(['package', 'version', 'licence'], rows, [0, 1, 2]), `\n${packages.length} packages`);
      }
      if (flags.writeDocs) writeFileSync(fileOf('docs/licences.md'), licencesPage(packages));
      const refused = packages.filter(({ licence }) => !isAllowed(licence));
      for (const { name, version, licence } of refused) {
        note(
          `✖ ${name} ${version}: ${licence} is not an allowed licence. If its terms permit bundling, add it to ALLOWED_LICENCES.`,
        );
      }
      return refused.length > 0 ? 1 : 0;
    }),
  );

/** Everything that is installed without devDependencies and Node itself, by name, each version once. */
export function licensedPackages({ packages }: PackageLock): LicensedPackage[] {
  const { dependencies: direct = {}, optionalDependencies: node = {} } = packages[''] ?? {};
  const byVersion = new Map<string, LicensedPackage>();
  for (const [path, { version = '', license = 'none', dev }] of Object.entries(packages)) {
    const name = path.split('node_modules/').at(-1) ?? '';
    if (name === '' || dev || name in node) continue;
    const isDirect = path === `node_modules/${name}` && name in direct;
    byVersion.set(`${name}@${version}`, { name, version, licence: license, direct: isDirect });
  }
  return [...byVersion.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** `(MIT OR GPL-3.0-only)` is allowed if one of the choices is; `AND` needs all. What has both is for a person to read. */
export function isAllowed(licence: string): boolean {
  const names = licence.replace(/[()]/g, '').split(/ OR | AND /);
  const isOneOf = (each: string) => ALLOWED_LICENCES.includes(each);
  if (!licence.includes(' OR ')) return names.every(isOneOf);
  return !licence.includes(' AND ') && names.some(isOneOf);
}

/** docs/licences.md */
export function licencesPage(packages: readonly LicensedPackage[]): string {
  const byLicence = [...Map.groupBy(packages, ({ licence }) => licence)]
    .map(([licence, { length }]) => [licence, length] as const)
    .sort(([, a], [, b]) => b - a);
  const summary = byLicence.map(([licence, count]) => [licence, String(count)]);
  const rows = packages.map(({ name, version, licence, direct }) => [
    direct ? `**${name}**` : name,
    version,
    licence,
  ]);
  return `# Licences

The ${packages.length} third-party packages that \`npm ci --omit=dev\` installs besides Node.js; the functions' bundles contain some of them.
\`package.json\` lists those in bold. This project's own licence is [MIT](../LICENSE).

\`npm run licences -- --write-docs\` writes this page from \`package-lock.json\`. \`npm run licences\` fails if a licence is not
allowed (\`cli/commands/licences.ts\` has the list). The engines of the local run (Apache Kafka, OpenSearch and S3Proxy, all
Apache-2.0) are downloaded from Maven Central and are not part of this project.

${markdownTable([['licence', 'packages'], ...summary])}

${markdownTable([['package', 'version', 'licence'], ...rows], Number.POSITIVE_INFINITY)}
`;
}
