import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The pipeline's own log, next to those of its functions. */
export const localLogOf = (folder: string): string => join(logsOf(folder), 'local.log');

/** Where the logs of a folder's pipeline are. */
export const logsOf = (folder: string): string => join(folder, 'logs');

/** The first message of each run in the pipeline's log, which is appended to from run to run. */
export const RUN_BEGINS = 'The pipeline starts';

/** When the pipeline was started last, epoch ms; undefined where it never was. */
export async function lastRunBeganMs(folder: string): Promise<number | undefined> {
  const file = localLogOf(folder);
  if (!existsSync(file)) return undefined;
  let beganMs: number | undefined;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (line.includes(RUN_BEGINS)) beganMs = Date.parse(JSON.parse(line).timestamp);
  }
  return beganMs;
}
