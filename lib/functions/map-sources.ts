import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * Runs on the folder of a new bundle. esbuild names a source map's sources relative to that folder, so the
 * same code built elsewhere had another hash and was deployed again. Relative to the project, the names also
 * read better in stack traces.
 */
const project = fileURLToPath(new URL('../..', import.meta.url));
const folder = process.argv[2] as string;
const file = join(folder, 'index.mjs.map');
const map = JSON.parse(readFileSync(file, 'utf8')) as { sources: string[] };
map.sources = map.sources.map((source) =>
  // Packages may be installed elsewhere and linked.
  relative(project, resolve(folder, source)).replace(/^.*?(?=node_modules\/)/, ''),
);
writeFileSync(file, JSON.stringify(map));
