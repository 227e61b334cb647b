import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineJars } from './artifacts.ts';
import type { Jdk } from './jdk.ts';
import { anyFreePort, choosePort, LOOPBACK } from './ports.ts';
import { identifyProcess, isSameProcess, type ProcessIdentity } from './process-identity.ts';

export type EngineName = 'kafka' | 'opensearch' | 's3';

/** How an engine's process ended. */
export interface EngineExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last 20 lines of its log. */
  readonly logTail: string;
}

/** A running engine; a process (group) of its own that outlives us unless it is stopped. */
export interface Engine {
  readonly name: EngineName;
  readonly pid: number;
  readonly host: '127.0.0.1';
  readonly port: number;
  /** `http://127.0.0.1:port`; of Kafka `127.0.0.1:port`. */
  readonly url: string;
  /** What it wrote to stdout and stderr since this start; the start before is in `<name>.previous.log`. */
  readonly logFile: string;
  /** Settles when the process has ended, asked for or not; never rejects. */
  readonly exited: Promise<EngineExit>;
  /** SIGTERM, after 6 s SIGKILL; returns when the process is gone. Any number of times. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly jdk: Jdk;
  readonly jars: EngineJars;
  /** Holds `data/`, `logs/`, `run/` and `config/` of all engines, e.g. `.local`; made if absent. */
  readonly folder: string;
  /** Insist on this port instead of the usual or any free one. */
  readonly port?: number | undefined;
  /** Gives the start up: the process is stopped and the start rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How long it may take to become ready. @default 60_000 */
  readonly deadlineMs?: number | undefined;
}

/** What makes an engine start and how one sees that it has. */
export interface EngineRecipe {
  readonly name: EngineName;
  /** For messages: "Kafka". */
  readonly title: string;
  readonly usualPort: number;
  /** The option that sets the port, for the error when it is taken. */
  readonly portOption: string;
  url(port: number): string;
  /**
   * Writes what the engine reads at its start and returns java's arguments; `internalPort` is for what an
   * engine opens for itself alone.
   */
  prepare(ports: { port: number; internalPort: number }): Promise<readonly string[]>;
  /** Whether it serves; may throw while it does not. */
  isReady(port: number, signal: AbortSignal): Promise<boolean>;
}

/** An engine did not come up. The message ends with the tail of its log. */
export class EngineStartError extends Error {
  override readonly name = 'EngineStartError';
  readonly engine: EngineName;
  readonly logFile: string;
  readonly logTail: string;

  constructor(engine: EngineName, what: string, logFile: string, logTail: string, cause?: unknown) {
    const indented = logTail === '' ? '  (nothing)' : logTail.replaceAll(/^/gm, '  ');
    super(`${what}. The end of its log (${logFile}):\n${indented}`, { cause });
    this.engine = engine;
    this.logFile = logFile;
    this.logTail = logTail;
  }
}

const STOP_GRACE_MS = 6_000;
const PROBE_EVERY_MS = 50;
/** How often a port that somebody took between choice and bind is replaced by another. */
const BIND_ATTEMPTS = 4;
const LOG_TAIL_LINES = 20;
const LOG_TAIL_BYTES = 64 * 1024;

/**
 * Starts an engine and waits until it serves.
 *
 * @throws {PortTakenError} {EngineStartError} or the signal's reason
 */
export async function startEngine(recipe: EngineRecipe, options: StartOptions): Promise<Engine> {
  const wish = {
    engine: recipe.title,
    option: recipe.portOption,
    usual: recipe.usualPort,
    asked: options.port,
  };
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    const retried = attempt > 1 && options.port === undefined;
    const port = retried ? await anyFreePort() : await choosePort(wish);
    const args = await recipe.prepare({ port, internalPort: await anyFreePort() });
    const running = spawnEngine(recipe.name, port, args, options);
    try {
      await waitUntilReady(recipe, running, port, options);
    } catch (error) {
      await running.stop();
      if (!(error instanceof EngineStartError) || attempt === BIND_ATTEMPTS) throw error;
      if (!couldNotBind(await readLogTail(running.logFile, Number.POSITIVE_INFINITY))) throw error;
      // Somebody took one of the ports meanwhile: choosePort says so if it was the one asked for.
      continue;
    }
    return { ...running, url: recipe.url(port), host: LOOPBACK, port };
  }
}

/** Whether a log says that a port could not be bound. */
export function couldNotBind(log: string): boolean {
  return /Bind\w*Exception|[Ff]ailed to bind|Address already in use/.test(log);
}

/** Runs a java program to its end in the engine's folder, e.g. to prepare its data. */
export async function runJava(
  name: EngineName,
  args: readonly string[],
  options: StartOptions,
): Promise<void> {
  options.signal?.throwIfAborted();
  const running = spawnEngine(name, 0, args, options);
  const giveUp = (): void => void running.stop();
  options.signal?.addEventListener('abort', giveUp, { once: true });
  const exit = await running.exited;
  options.signal?.removeEventListener('abort', giveUp);
  options.signal?.throwIfAborted();
  if (exit.code !== 0) {
    throw new EngineStartError(
      name,
      `${name} could not be prepared (${howItEnded(exit)})`,
      running.logFile,
      exit.logTail,
    );
  }
}

/**
 * Stops the engines that an owner left behind when it was killed, and forgets those that are gone.
 *
 * @param folder the same as the engines were started with
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
      const identity = parsePidFile(await readFile(file, 'utf8'));
      const wasRunning = identity !== undefined && isSameProcess(identity);
      if (wasRunning) await stopByIdentity(identity);
      await rm(file, { force: true });
      return wasRunning ? [`${name.replace(/\.json$/, '')} (pid ${identity.pid})`] : [];
    }),
  );
  return stopped.flat();
}

/** The identity that a pid file holds; `undefined` when it is none of ours. */
export function parsePidFile(text: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime } = JSON.parse(text) as { pid?: unknown; startTime?: unknown };
    // A pid of 0 or below would address whole process groups.
    const isPid = typeof pid === 'number' && Number.isInteger(pid) && pid > 1;
    return isPid && typeof startTime === 'string' ? { pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}

/** The last lines of a log (of its last 64 KiB); "" when there is none. */
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

/** Writes a configuration file whole or not at all. */
export async function writeConfig(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}

/**
 * The text of a Java properties file. Everything outside of ASCII is escaped: Java reads these files as Latin-1.
 */
export function javaProperties(entries: Readonly<Record<string, string | number | boolean>>): string {
  const escaped = (text: string): string =>
    text
      .replaceAll('\\', '\\\\')
      .replace(/^ /, '\\ ')
      .replaceAll('\n', '\\n')
      .replaceAll(/[^\n\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${escaped(String(value))}\n`)
    .join('');
}

interface RunningProcess {
  readonly name: EngineName;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<EngineExit>;
  stop(): Promise<void>;
}

function spawnEngine(
  name: EngineName,
  port: number,
  args: readonly string[],
  { jdk, folder }: StartOptions,
): RunningProcess {
  for (const inside of ['logs', 'run', 'data']) mkdirSync(join(folder, inside), { recursive: true });
  const logFile = join(folder, 'logs', `${name}.log`);
  keepPreviousLog(logFile, join(folder, 'logs', `${name}.previous.log`));
  const log = openSync(logFile, 'a');
  let child: ChildProcess;
  try {
    child = spawn(jdk.java, args, {
      cwd: resolve(folder),
      // A group of its own: Ctrl-C in the terminal reaches only us, who stop the engines in order.
      detached: true,
      stdio: ['ignore', log, log],
      // Under the C locale Java cannot open files whose names are not ASCII.
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
  } finally {
    closeSync(log);
  }
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  if (child.pid === undefined) {
    throw new EngineStartError(name, `${jdk.java} could not be run for ${name}`, logFile, '');
  }
  const pidFile = join(folder, 'run', `${name}.json`);
  // Undefined when it has ended already: then nobody needs to find it.
  const identity = identifyProcess(child.pid);
  if (identity) writePidFile(pidFile, identity, port);
  const exited = ended.then(async (end) => {
    if (identity) removePidFile(pidFile, identity);
    return { ...end, logTail: await readLogTail(logFile) };
  });

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
      await exited;
      clearTimeout(kill);
    })();
    return stopping;
  };
  return { name, pid: child.pid, logFile, exited, stop };
}

async function waitUntilReady(
  recipe: EngineRecipe,
  running: RunningProcess,
  port: number,
  { signal, deadlineMs = 60_000 }: StartOptions,
): Promise<void> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const ended = new AbortController();
  const over = AbortSignal.any([deadline, ended.signal, ...(signal ? [signal] : [])]);
  const exit = running.exited.then((how) => {
    ended.abort();
    return how;
  });
  let lastFailure: unknown;
  // A probe may hang on whatever answers at that port: the end of the process or of the patience wins.
  const interrupted = once(over, 'abort').then(() => false);
  while (!over.aborted) {
    const probe = recipe.isReady(port, over).catch((error: unknown) => {
      lastFailure = error;
      return false;
    });
    // A process that has just died cannot be what answered: somebody else has that port.
    if ((await Promise.race([probe, interrupted])) && identifyProcess(running.pid)) return;
    await sleep(PROBE_EVERY_MS, undefined, { signal: over }).catch(() => {});
  }
  signal?.throwIfAborted();
  if (ended.signal.aborted) {
    const how = await exit;
    const what = `${recipe.title} ended while it was starting (${howItEnded(how)})`;
    throw new EngineStartError(recipe.name, what, running.logFile, how.logTail);
  }
  const what = `${recipe.title} was not ready after ${deadlineMs / 1000} s`;
  throw new EngineStartError(
    recipe.name,
    what,
    running.logFile,
    await readLogTail(running.logFile),
    lastFailure,
  );
}

function howItEnded({ code, signal }: EngineExit): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}

function keepPreviousLog(logFile: string, previous: string): void {
  try {
    renameSync(logFile, previous);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Synchronous, so that as little as possible lies between the spawn and the note of it. */
function writePidFile(file: string, identity: ProcessIdentity, port: number): void {
  writeFileSync(`${file}.new`, `${JSON.stringify({ ...identity, port })}\n`);
  renameSync(`${file}.new`, file);
}

function removePidFile(file: string, ours: ProcessIdentity): void {
  try {
    // A later start of the same engine may have put its own note there.
    if (parsePidFile(readFileSync(file, 'utf8'))?.startTime === ours.startTime) rmSync(file, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function stopByIdentity(identity: ProcessIdentity): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGTERM', STOP_GRACE_MS],
    ['SIGKILL', STOP_GRACE_MS],
  ] as const) {
    try {
      process.kill(identity.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw error;
    }
    // It is not our child: there is no event to wait for.
    for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(20)) {
      if (!isSameProcess(identity)) return;
    }
  }
  throw new Error(
    `Process ${identity.pid}, left behind by an earlier start, does not end, not even on SIGKILL.`,
  );
}
