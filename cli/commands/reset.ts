import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stopLeftovers } from '../../local/engines/pid-file.ts';
import { LOCK_FILE, takeLock } from '../../local/pipeline/lock.ts';
import { createCommand, perform } from '../command.ts';
import { withFolderOption } from '../options.ts';
import { print } from '../print.ts';

/** The engines' jars are downloaded once and are the same for any data. */
const KEPT = 'engines';

const help = `Examples:
  npm run reset           the next "npm start" begins the history again
  npm run reset -- --all  and downloads the engines again`;

export const command = withFolderOption(
  createCommand(
    'reset',
    'Deletes the data of the pipeline on this machine: lake, topic, index, logs and the replay’s clock.',
    { help, failureCode: 1 },
  ),
)
  .option('--all', 'delete the downloaded engines, too')
  .action(
    perform(async (_signal, { folder, all }: { folder: string; all?: boolean }) => {
      if (!existsSync(folder)) {
        print(`There is nothing in ${folder}.`);
        return 0;
      }
      const lock = takeLock(folder);
      await stopLeftovers(folder);
      const names = readdirSync(folder).filter(
        (name) => !name.startsWith(LOCK_FILE) && (all || name !== KEPT),
      );
      for (const name of names) rmSync(join(folder, name), { recursive: true, force: true });
      lock.release();
      print(`Deleted ${names.length > 0 ? names.join(', ') : 'nothing'} from ${folder}.`);
      return 0;
    }, 1),
  );
