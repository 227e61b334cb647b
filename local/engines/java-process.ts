import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { removePidFile, STOP_GRACE_MS, writePidFile } from './pid-file.ts';
import { identifyProcess } from './process-identity.ts';

/** How an engine's process ended. */
export interface EngineExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last 20 lines of its log. */
  readonly logTail: string;
}

export interface JavaProcess {
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<EngineExit>;
  stop(): Promise<void>;
}

const LOG_TAIL_LINES = 20;
const LOG_TAIL_BYTES = 64 * 1024;

/**
 * Runs java in its own process group, with the log in `logs/<name>.log` and a pid file in `run/<name>.json`.
 * @throws if java cannot be run at all
 */
export function spawnJava(
  java: string,
  args: readonly string[],
  { folder, name, port }: { folder: string; name: string; port: number },
): JavaProcess {
  for (const inside of ['logs', 'run', 'data']) mkdirSync(join(folder, inside), { recursive: true });
  const logFile = logFileOf(folder, name);
  keepPreviousLog(logFile, join(folder, 'logs', `${name}.previous.log`));
  const child = spawnIntoLog(java, args, folder, logFile);
  const ended = new Promise<Pick<EngineExit, 'code' | 'signal'>>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  if (child.pid === undefined) throw new Error(`${java} could not be run for ${name}`);
  const pidFile = join(folder, 'run', `${name}.json`);
  // Undefined if it has ended already; then nobody needs to find it.
  const identity = identifyProcess(child.pid);
  if (identity) writePidFile(pidFile, identity, port);
  const exited = ended.then(async (end) => {
    if (identity) removePidFile(pidFile, identity);
    return { ...end, logTail: await readLogTail(logFile) };
  });

  let stopping: Promise<void> | undefined;
  const stopOnce = async (): Promise<void> => {
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await exited;
    clearTimeout(kill);
  };
  return {
    pid: child.pid,
    logFile,
    exited,
    stop() {
      stopping ??= stopOnce();
      return stopping;
    },
  };
}

/** An engine's log since its last start. */
export function logFileOf(folder: string, name: string): string {
  return join(folder, 'logs', `${name}.log`);
}

/** The last lines of a log (within its last 64 KiB); "" if the file does not exist. */
export async function readLogTail(logFile: string, lines = LOG_TAIL_LINES): Promise<string> {
  const file = await open(logFile).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - LOG_TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    await file.close();
  }
}

export function describeExit({ code, signal }: Pick<EngineExit, 'code' | 'signal'>): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}

function spawnIntoLog(java: string, args: readonly string[], folder: string, logFile: string): ChildProcess {
  const log = openSync(logFile, 'a');
  try {
    return spawn(java, args, {
      cwd: resolve(folder),
      // In its own group, so that Ctrl-C in the terminal reaches only us; we stop the engines in order.
      detached: true,
      stdio: ['ignore', log, log],
      // Under the C locale Java cannot open files whose names are not ASCII.
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
  } finally {
    closeSync(log);
  }
}

function keepPreviousLog(logFile: string, previous: string): void {
  try {
    renameSync(logFile, previous);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
