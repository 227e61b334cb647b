import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { breakingColumnChanges, breakingRecordChanges, schemaFiles } from '../../core/columns/schemas.ts';
import { createCommand, perform } from '../command.ts';
import { note, print } from '../print.ts';

const FOLDER = fileURLToPath(new URL('../../schemas', import.meta.url));

const help = `Exit codes: 0 the files match the code, 1 they do not, or a change would break readers, 2 failed.

A field or column may be added. One that is removed, renamed or gets another type, and one that records need not have had, breaks
readers: keep it, or raise the version of the record (TICKER_VERSION, CANDLE_VERSION, MOVE_VERSION).`;

export const command = createCommand(
  'schemas',
  'Compares the files in schemas/ (JSON Schema of records, Parquet schema of tables) with the code.',
  { help },
)
  .option('--write-docs', 'write them')
  .action(
    perform(async (_signal, { writeDocs }: { writeDocs?: boolean }) => {
      const outdated = Object.entries(schemaFiles()).filter(([name, text]) => textOf(name) !== text);
      const breaking = outdated.flatMap(([name, text]) => breakingChanges(name, text));
      for (const change of breaking) note(`✖ ${change}`);
      if (breaking.length > 0) return 1;
      for (const [name, text] of outdated) {
        if (writeDocs) writeFileSync(join(FOLDER, name), text);
        print(
          writeDocs
            ? `Wrote schemas/${name}.`
            : `schemas/${name} does not match the code: run with --write-docs.`,
        );
      }
      if (outdated.length === 0) print('The schemas match the code.');
      return writeDocs || outdated.length === 0 ? 0 : 1;
    }),
  );

function textOf(name: string): string | undefined {
  const path = join(FOLDER, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function breakingChanges(name: string, text: string): string[] {
  const older = textOf(name);
  if (older === undefined) return [];
  const changes = name.endsWith('.json')
    ? breakingRecordChanges(JSON.parse(older), JSON.parse(text))
    : breakingColumnChanges(older, text);
  return changes.map((change) => `schemas/${name}: ${change}. That breaks readers.`);
}
