import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * Run on the folder of a bundle that was just made. esbuild names a source map's sources by their way from that folder,
 * so the same code had another hash in another place, and was deployed anew. Named from the project, they also read better
 * in stack traces.
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
