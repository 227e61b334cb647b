import { markdownTable } from '../core/text/markdown-table.ts';

/** A package that runs in production, as the lock file names it. */
export interface LicensedPackage {
  name: string;
  version: string;
  /** As SPDX writes it; "none" where the package names none. */
  licence: string;
  /** Whether package.json asks for it itself. */
  direct: boolean;
}

/** The part of package-lock.json that this reads. */
export interface PackageLock {
  packages: Readonly<
    Record<
      string,
      {
        version?: string;
        license?: string;
        dev?: boolean;
        dependencies?: Readonly<Record<string, string>>;
      }
    >
  >;
}

/**
 * Licences that ask for no more than their text and the names of the authors, so that a bundle may hold their code
 * whatever its own licence is. Identifiers of https://spdx.org/licenses/.
 */
export const ALLOWED_LICENCES: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
]);

/** Everything that is installed without devDependencies, by name. */
export function licensedPackages({ packages }: PackageLock): LicensedPackage[] {
  const direct = packages['']?.dependencies ?? {};
  const listed = Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { version = '', license = 'none' }]): LicensedPackage => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return { name, version, licence: license, direct: path === `node_modules/${name}` && name in direct };
    });
  // The same version may lie in several places.
  const once = new Map(listed.map((each) => [`${each.name}@${each.version}`, each]));
  return [...once.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Whether a licence, or one choice of an expression such as `(MIT OR GPL-3.0)`, is allowed; `AND` asks for all. */
export function isAllowed(licence: string): boolean {
  const choices = licence.replace(/[()]/g, '').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((each) => ALLOWED_LICENCES.has(each.trim())));
}

/** docs/licences.md */
export function licencesPage(packages: readonly LicensedPackage[]): string {
  const byLicence = [...Map.groupBy(packages, ({ licence }) => licence)].sort(
    ([, a], [, b]) => b.length - a.length,
  );
  const summary = byLicence.map(([licence, each]) => [licence, String(each.length)]);
  const rows = packages.map(({ name, version, licence, direct }) => [
    direct ? `**${name}**` : name,
    version,
    licence,
  ]);
  return `# Licences

What runs here of others: all that \`npm ci --omit=dev\` installs, ${packages.length} packages. The functions' bundles hold a part of
it. Those in bold are asked for by \`package.json\` itself. This project's own licence is [MIT](../LICENSE).

\`npm run licences -- --write-docs\` writes this page from \`package-lock.json\`; \`npm run licences\` fails on a licence that is
not in the list of allowed ones (\`cli/licence-list.ts\`). The engines of the local run (Apache Kafka, OpenSearch, S3Proxy: all
Apache-2.0) are downloaded from Maven Central and are part of neither.

${markdownTable([['licence', 'packages'], ...summary])}

${markdownTable([['package', 'version', 'licence'], ...rows], Number.POSITIVE_INFINITY)}
`;
}
