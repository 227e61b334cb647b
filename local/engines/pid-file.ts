import { rmSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NotOurFileError, readTextIfThere, writeFileAtomically } from '../atomic-file.ts';
import { isSameProcess, type ProcessIdentity } from './process-identity.ts';

/** How long a process has to end after SIGTERM, and again after SIGKILL. */
export const STOP_GRACE_MS = 6_000;

/** The process that a pid file names; `undefined` if we did not write the file. */
export function parsePidFile(text: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime } = JSON.parse(text) as { pid?: unknown; startTime?: unknown };
    // A pid of 0 or below would signal whole process groups.
    const isPid = typeof pid === 'number' && Number.isInteger(pid) && pid > 1;
    return isPid && typeof startTime === 'string' ? { pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}

/** Synchronous, to keep the gap between the spawn and the file short. */
export function writePidFile(file: string, identity: ProcessIdentity, port: number): void {
  writeFileAtomically(file, `${JSON.stringify({ ...identity, port })}\n`);
}

/** Removes a pid file, unless a later start of the same engine has replaced it. */
export function removePidFile(file: string, identity: ProcessIdentity): void {
  const kept = parsePidFile(ownText(file));
  if (kept?.startTime === identity.startTime) rmSync(file, { force: true });
}

/**
 * Stops the engines that a killed owner left running, and removes all pid files. Files that another user may
 * have put there are ignored.
 *
 * @param folder the folder that the engines were started with
 * @returns what was stopped: "kafka (pid 4711)"
 */
export async function stopLeftovers(folder: string): Promise<string[]> {
  const runFolder = join(folder, 'run');
  const names = await readdir(runFolder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const stopped = await Promise.all(
    names.map(async (name) => {
      const file = join(runFolder, name);
      const identity = parsePidFile(ownText(file));
      const wasRunning = identity !== undefined && isSameProcess(identity);
      if (wasRunning) await stopProcess(identity);
      await rm(file, { force: true });
      return wasRunning ? [`${basename(name, '.json')} (pid ${identity.pid})`] : [];
    }),
  );
  return stopped.flat();
}

function ownText(file: string): string {
  try {
    return readTextIfThere(file) ?? '';
  } catch (error) {
    if (error instanceof NotOurFileError) return '';
    throw error;
  }
}

async function stopProcess(identity: ProcessIdentity): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(identity.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw error;
    }
    // It is not our child, so no event tells us when it ends.
    for (const end = Date.now() + STOP_GRACE_MS; Date.now() < end; await sleep(20)) {
      if (!isSameProcess(identity)) return;
    }
  }
  throw new Error(
    `Process ${identity.pid}, left over from an earlier start, survived SIGKILL. End it by hand.`,
  );
}
