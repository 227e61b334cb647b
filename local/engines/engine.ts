import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineJars } from './artifacts.ts';
import { classArchiveOf } from './class-archive.ts';
import type { EngineName } from './jar-list.ts';
import {
  describeExit,
  type EngineExit,
  type JavaProcess,
  logFileOf,
  readLogTail,
  spawnJava,
} from './java-process.ts';
import type { Jdk } from './jdk.ts';
import { anyFreePort, choosePort } from './ports.ts';
import { identifyProcess } from './process-identity.ts';

/** A running engine. Its process outlives ours unless it is stopped. */
export interface Engine {
  readonly name: EngineName;
  readonly pid: number;
  readonly port: number;
  /** `http://127.0.0.1:port`; for Kafka `127.0.0.1:port`. */
  readonly url: string;
  /** Its stdout and stderr since this start; those of the start before are in `<name>.previous.log`. */
  readonly logFile: string;
  /** Settles when the process has ended for any reason; never rejects. */
  readonly exited: Promise<EngineExit>;
  /** Sends SIGTERM, after 6 s SIGKILL, and waits for the process to end. May be called again. */
  stop(): Promise<void>;
  /** Makes the next start quicker, in the background. Does nothing if that was done before; never rejects. */
  prepareNextStart(signal: AbortSignal): Promise<void>;
}

export interface StartOptions {
  readonly jdk: Jdk;
  readonly jars: EngineJars;
  /** Holds `data/`, `logs/`, `run/` and `config/` of all engines, e.g. `.local`; created if absent. */
  readonly folder: string;
  /** Fail if this port is taken. @default the engine's usual port if free, else any free one */
  readonly port?: number | undefined;
  /** Cancels the start: the process is stopped and the start rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How long the engine may take to become ready. @default 60_000 */
  readonly deadlineMs?: number | undefined;
}

/** How to start an engine, and how to find out when it is ready. */
export interface EngineRecipe {
  readonly name: EngineName;
  /** For messages: "Kafka". */
  readonly title: string;
  readonly usualPort: number;
  /** The command-line option that sets the port, for the error if it is taken. */
  readonly portOption: string;
  url(port: number): string;
  /** Whether all its classes are in its folder of jars, so that an archive of them makes its start quicker. @default false */
  readonly hasClassArchive?: boolean;
  /** Writes the engine's configuration and returns java's arguments. Nobody else uses the internal port. */
  prepare(ports: { port: number; internalPort: number }): Promise<readonly string[]>;
  /** Whether it is ready to serve; may throw while it is not. */
  isReady(port: number, signal: AbortSignal): Promise<boolean>;
}

/** An engine did not start. The message ends with the end of its log. */
export class EngineStartError extends Error {
  override readonly name = 'EngineStartError';
  readonly logTail: string;

  constructor(problem: string, logFile: string, logTail: string, cause?: unknown) {
    const indented = logTail === '' ? '  (nothing)' : logTail.replaceAll(/^/gm, '  ');
    super(`${problem}. The end of its log (${logFile}):\n${indented}`, { cause });
    this.logTail = logTail;
  }
}

const PROBE_INTERVAL_MS = 50;
/** How often we pick another port because some process took the first one before the engine could bind it. */
const BIND_ATTEMPTS = 4;

/**
 * Starts an engine and waits until it is ready.
 *
 * @throws {PortTakenError} {EngineStartError} or the signal's reason
 */
export async function startEngine(recipe: EngineRecipe, options: StartOptions): Promise<Engine> {
  const request = {
    engine: recipe.title,
    option: recipe.portOption,
    usual: recipe.usualPort,
    requested: options.port,
  };
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    const isRetry = attempt > 1 && options.port === undefined;
    const port = isRetry ? await anyFreePort() : await choosePort(request);
    const args = await recipe.prepare({ port, internalPort: await anyFreePort() });
    const archive = recipe.hasClassArchive ? classArchiveOf(recipe.name, options, args) : undefined;
    const running = run(recipe.name, [...(archive?.flags() ?? []), ...args], options, port);
    try {
      await waitUntilReady(recipe, running, port, options);
      const prepareNextStart = async (signal: AbortSignal) => archive?.make(signal).catch(() => {});
      return { ...running, name: recipe.name, url: recipe.url(port), port, prepareNextStart };
    } catch (error) {
      await running.stop();
      if (!(error instanceof EngineStartError) || attempt === BIND_ATTEMPTS) throw error;
      if (!couldNotBind(await readLogTail(running.logFile, Number.POSITIVE_INFINITY))) throw error;
      // Somebody took one of the ports. If it was the requested one, choosePort says so.
    }
  }
}

/** Whether a log says that a port could not be bound. */
export function couldNotBind(log: string): boolean {
  return /Bind\w*Exception|[Ff]ailed to bind|Address already in use/.test(log);
}

/** Runs a java program in the engine's folder until it ends, e.g. to prepare the engine's data. */
export async function runJava(
  name: EngineName,
  args: readonly string[],
  options: StartOptions,
): Promise<void> {
  const { signal } = options;
  signal?.throwIfAborted();
  const running = run(name, args, options, 0);
  const cancel = (): void => void running.stop();
  signal?.addEventListener('abort', cancel, { once: true });
  const exit = await running.exited;
  signal?.removeEventListener('abort', cancel);
  signal?.throwIfAborted();
  if (exit.code !== 0) {
    const problem = `${name} could not be prepared (${describeExit(exit)})`;
    throw new EngineStartError(problem, running.logFile, exit.logTail);
  }
}

function run(
  name: EngineName,
  args: readonly string[],
  { jdk, folder }: StartOptions,
  port: number,
): JavaProcess {
  try {
    return spawnJava(jdk.java, args, { folder, name, port });
  } catch (error) {
    throw new EngineStartError((error as Error).message, logFileOf(folder, name), '', error);
  }
}

async function waitUntilReady(
  recipe: EngineRecipe,
  running: JavaProcess,
  port: number,
  { signal, deadlineMs = 60_000 }: StartOptions,
): Promise<void> {
  const { title } = recipe;
  const { logFile } = running;
  const ended = new AbortController();
  running.exited.then(() => ended.abort());
  const over = AbortSignal.any([AbortSignal.timeout(deadlineMs), ended.signal, ...(signal ? [signal] : [])]);
  let lastFailure: unknown;
  // A probe may hang on another server at that port, so the deadline or the end of the process interrupts it.
  const interrupted = once(over, 'abort').then(() => false);
  while (!over.aborted) {
    const probe = recipe.isReady(port, over).catch((error: unknown) => {
      lastFailure = error;
      return false;
    });
    // If our process has just died, the answer came from another process at that port.
    if ((await Promise.race([probe, interrupted])) && identifyProcess(running.pid)) return;
    await sleep(PROBE_INTERVAL_MS, undefined, { signal: over }).catch(() => {});
  }
  signal?.throwIfAborted();
  if (ended.signal.aborted) {
    const exit = await running.exited;
    const problem = `${title} ended during its start (${describeExit(exit)})`;
    throw new EngineStartError(problem, logFile, exit.logTail);
  }
  const problem = `${title} was not ready after ${deadlineMs / 1000} s`;
  throw new EngineStartError(problem, logFile, await readLogTail(logFile), lastFailure);
}
