import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { stopLeftovers } from '../local/engines/pid-file.ts';
import { takeLock } from '../local/pipeline/lock.ts';
import { folderOption } from './options.ts';

/** The engines' jars: downloaded once, the same for any data. */
const KEPT = 'engines';

const { folder, all } = new Command('npm run reset --')
  .description(
    'Removes what the local pipeline has gathered: lake, topic, index, logs and the replay’s clock.',
  )
  .option('--all', 'the downloaded engines, too')
  .addOption(folderOption)
  .parse()
  .opts<{ folder: string; all?: boolean }>();

if (!existsSync(folder)) {
  process.stdout.write(`There is nothing in ${folder}.\n`);
  process.exit(0);
}
try {
  const lock = takeLock(folder);
  await stopLeftovers(folder);
  const names = readdirSync(folder).filter((name) => name !== 'lock.json' && (all || name !== KEPT));
  for (const name of names) rmSync(join(folder, name), { recursive: true, force: true });
  lock.release();
  process.stdout.write(`Removed ${names.length > 0 ? names.join(', ') : 'nothing'} from ${folder}.\n`);
} catch (error) {
  process.stderr.write(`✖ ${(error as Error).message}\n`);
  process.exit(1);
}
