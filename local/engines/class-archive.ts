import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { readTextIfThere } from '../atomic-file.ts';
import type { EngineJars } from './artifacts.ts';
import type { EngineName } from './jar-list.ts';
import type { Jdk } from './jdk.ts';

/** An engine's classes as Java has parsed and checked them, kept for its next start. */
export interface ClassArchive {
  /** Flags that use the archive or, if there is none yet, note which classes are loaded. */
  flags(): string[];
  /** Makes the archive, unless there is one, in a few seconds of an otherwise idle core. */
  make(signal: AbortSignal): Promise<void>;
}

/**
 * The archive of an engine. It is beside its jars, one for each Java; Java itself ignores an archive that does not fit
 * its jars or flags.
 * @param args of the engine's java
 */
export function classArchiveOf(
  name: EngineName,
  { jdk, jars, folder }: { jdk: Jdk; jars: EngineJars; folder: string },
  args: readonly string[],
): ClassArchive {
  const release = readTextIfThere(join(jdk.home, 'release')) ?? '';
  const java = createHash('sha256').update(jdk.home).update(release).digest('hex').slice(0, 16);
  const file = join(jars[name], `classes-${java}.jsa`);
  const loaded = resolve(folder, 'config', name, 'classes.txt');
  return {
    flags: () => [existsSync(file) ? `-XX:SharedArchiveFile=${file}` : `-XX:DumpLoadedClassList=${loaded}`],
    async make(signal) {
      if (existsSync(file) || !existsSync(loaded) || signal.aborted) return;
      const made = `${file}.${process.pid}`;
      // The engine goes on writing to its list.
      const list = `${loaded}.${process.pid}`;
      try {
        copyFileSync(loaded, list);
        const flags = ['-Xshare:dump', `-XX:SharedClassListFile=${list}`, `-XX:SharedArchiveFile=${made}`];
        const isMade = await runInBackground(jdk.java, [...flags, ...args], resolve(folder), signal);
        // A failed archive is dropped: without one the engine only starts more slowly.
        if (isMade && existsSync(made)) renameSync(made, file);
      } finally {
        for (const leftover of [made, list]) rmSync(leftover, { force: true });
      }
    },
  };
}

/** @returns whether it ended well */
async function runInBackground(
  java: string,
  args: readonly string[],
  cwd: string,
  signal: AbortSignal,
): Promise<boolean> {
  const child = spawn(java, args, { cwd, stdio: 'ignore' });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const [code] = await once(child, 'close');
  signal.removeEventListener('abort', kill);
  return code === 0;
}
