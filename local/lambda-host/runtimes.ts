import { type ChildProcess, fork } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Invoke, WorkerSettings } from './messages.ts';

export interface RuntimeOptions extends WorkerSettings {
  readonly environment: Readonly<Record<string, string>>;
}

/** What runs a handler. */
export interface Runtime {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Emits `message`, `error` with what was thrown outside of the handler, and `exit` with a status. */
  readonly events: EventEmitter;
  post(message: Invoke): void;
  /** Ends it at once, whatever it does. */
  end(): Promise<void>;
}

const WORKER = new URL('./worker.ts', import.meta.url);

/** In a thread of this process, which starts quickly and needs little memory. */
export function startThread({ environment, ...settings }: RuntimeOptions): Runtime {
  const worker = new Worker(WORKER, {
    name: `lambda ${settings.functionName}`,
    workerData: settings satisfies WorkerSettings,
    env: environmentOf(settings, environment),
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: settings.memoryMb },
    stdout: true,
    stderr: true,
  });
  return {
    stdout: worker.stdout,
    stderr: worker.stderr,
    events: worker,
    post: (message) => worker.postMessage(message),
    end: async () => void (await worker.terminate()),
  };
}

/** In a process of its own: a thread that is ended while native code works in it takes the whole process with it. */
export function startProcess({ environment, ...settings }: RuntimeOptions): Runtime {
  const child = fork(fileURLToPath(WORKER), [JSON.stringify(settings satisfies WorkerSettings)], {
    env: environmentOf(settings, environment),
    execArgv: [`--max-old-space-size=${settings.memoryMb}`],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  }) as ChildProcess & { stdout: Readable; stderr: Readable };
  return {
    stdout: child.stdout,
    stderr: child.stderr,
    events: child,
    post: (message) => void child.send(message),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

function environmentOf(
  { functionName, memoryMb }: WorkerSettings,
  environment: RuntimeOptions['environment'],
): Record<string, string> {
  return {
    AWS_LAMBDA_FUNCTION_NAME: functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${functionName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    ...environment,
  };
}
