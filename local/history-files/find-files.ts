import { globSync, statSync } from 'node:fs';
import { HistoryFileError } from './history-file-error.ts';

const READABLE = /\.(csv|tsv|txt|json|jsonl|ndjson|parquet|zip)(\.gz)?$/i;

/**
 * The files that paths and patterns name, in order, each once. A folder stands for every file in it that may be a history.
 * @throws HistoryFileError if one of them names nothing
 */
export function findFiles(given: readonly string[]): string[] {
  const found = given.flatMap((path) => {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats && !stats.isDirectory()) return [path];
    const files = globSync(stats ? `${path.replace(/\/+$/, '')}/**/*` : path)
      .filter((each) => statSync(each).isFile() && (!stats || READABLE.test(each)))
      .sort();
    if (files.length > 0) return files;
    throw new HistoryFileError(path, stats ? 'there is no history in this folder' : 'there is no such file', {
      advice: 'Give the path of a file, a folder, or a pattern in quotes such as "prices/*.zip"',
    });
  });
  return [...new Set(found)];
}
