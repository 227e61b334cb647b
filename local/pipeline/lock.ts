import { createHash, randomUUID } from 'node:crypto';
import { linkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readTextIfThere, writeAside } from '../atomic-file.ts';
import { identifyProcess, isSameProcess, type ProcessIdentity } from '../engines/process-identity.ts';

type Holder = ProcessIdentity & { since: string };

/** Another pipeline is running in the same folder. */
export class PipelineRunningError extends Error {
  override readonly name = 'PipelineRunningError';

  constructor(folder: string, holder: Holder) {
    super(
      `A pipeline is already running in ${folder} (process ${holder.pid}, since ${holder.since} UTC). ` +
        `Stop it with Ctrl-C in its terminal or "kill ${holder.pid}", then try again.`,
    );
  }
}

/** Held by the only process that may use a folder's data. */
export interface Lock {
  release(): void;
}

/** The lock; files whose names begin with it exist while it is taken. */
export const LOCK_FILE = 'lock.json';

/**
 * Takes the folder's lock, or takes it over from a process that was killed.
 * @param folder e.g. `.local`; created if absent
 * @throws PipelineRunningError
 */
export function takeLock(folder: string): Lock {
  const file = join(folder, LOCK_FILE);
  const since = new Date().toISOString();
  const text = JSON.stringify({ ...identifyProcess(process.pid), since, id: randomUUID() });
  // Written aside and linked, so that nobody ever sees a part of it.
  const aside = writeAside(file, text);
  try {
    while (!link(aside, file) && !takeOver(folder, aside));
  } finally {
    rmSync(aside, { force: true });
  }
  return {
    release() {
      if (readTextIfThere(file) === text) rmSync(file, { force: true });
    },
  };
}

/**
 * Replaces the lock of a process that was killed. Of all who try, only one can link the claim, which is named after the
 * lock's text. If it is killed before it has replaced the lock, its claim is claimed in turn.
 * @returns false if the lock has changed meanwhile
 * @throws PipelineRunningError
 */
function takeOver(folder: string, aside: string): boolean {
  const lock = join(folder, LOCK_FILE);
  const stale: { file: string; text: string }[] = [];
  let next = lock;
  do {
    const text = readTextIfThere(next);
    if (text === undefined) return false;
    const holder = holderIn(text);
    if (holder && isSameProcess(holder)) throw new PipelineRunningError(folder, holder);
    stale.push({ file: next, text });
    next = `${lock}.${createHash('sha256').update(text).digest('hex')}`;
  } while (!link(aside, next));
  // Another claim may have been linked, used and removed since the lock was read.
  const isCurrent = stale.every(({ file, text }) => readTextIfThere(file) === text);
  if (isCurrent) renameSync(aside, lock);
  const claims = isCurrent ? [next, ...stale.slice(1).map(({ file }) => file)] : [next];
  for (const claim of claims) rmSync(claim, { force: true });
  return isCurrent;
}

/** Whether a running process holds the folder's lock. */
export function isLocked(folder: string): boolean {
  const text = readTextIfThere(join(folder, LOCK_FILE));
  const holder = text === undefined ? undefined : holderIn(text);
  return holder !== undefined && isSameProcess(holder);
}

/** @returns false if the file exists */
function link(from: string, file: string): boolean {
  try {
    linkSync(from, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function holderIn(text: string): Holder | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // of an older version that was killed while it wrote
  }
}
