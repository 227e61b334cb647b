import type { Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { LambdaInitError, LambdaInvocationError } from './errors.ts';
import {
  type FromWorker,
  type FunctionError,
  functionError,
  type Invoke,
  type WorkerSettings,
} from './messages.ts';

export interface ThreadOptions extends WorkerSettings {
  readonly environment: Readonly<Record<string, string>>;
  readonly initTimeoutMs: number;
}

/** A worker thread with an imported handler, from its start to its end. */
export class HandlerThread {
  /** Fulfilled when the module is imported; rejects with {@link LambdaInitError}. */
  readonly ready: Promise<void>;
  /** Rejects when the thread ends for any reason. */
  readonly ended: Promise<never>;
  readonly #name: string;
  readonly #worker: Worker;
  readonly #log: Writable;

  constructor(options: ThreadOptions, log: Writable) {
    this.#name = options.functionName;
    this.#log = log;
    this.#worker = startWorker(options);
    this.#worker.stdout.pipe(log, { end: false });
    this.#worker.stderr.pipe(log, { end: false });
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<never>();
    ready.promise.catch(() => {});
    ended.promise.catch(() => {});
    this.ready = ready.promise;
    this.ended = ended.promise;

    const initFailed = (error: FunctionError) =>
      ready.reject(new LambdaInitError(this.#name, options.handlerUrl, error));
    const timer = setTimeout(() => {
      const errorMessage = `the import took longer than ${options.initTimeoutMs} ms`;
      initFailed({ errorType: 'Runtime.InitTimeout', errorMessage, trace: [] });
    }, options.initTimeoutMs);
    this.#worker.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') ready.resolve();
      if (message.kind === 'initFailed') initFailed(message.error);
      clearTimeout(timer);
    });
    let crash: FunctionError | undefined;
    this.#worker.on('error', (thrown) => {
      crash = functionError(thrown);
      log.write(`${crash.trace.join('\n')}\n`);
    });
    this.#worker.on('exit', (code) => {
      clearTimeout(timer);
      const errorMessage = `the function's process exited with status ${code} before it answered`;
      const error = crash ?? { errorType: 'Runtime.ExitError', errorMessage, trace: [] };
      // In this order, because an exit during the import is a failed import.
      initFailed(error);
      ended.reject(new LambdaInvocationError(this.#name, error));
    });
  }

  /**
   * Calls the handler and returns its answer. Rejects with {@link LambdaInvocationError}. Must not be called before the
   * last call has ended: the next message is taken for the answer.
   */
  async call(invoke: Invoke): Promise<unknown> {
    const answer = Promise.withResolvers<FromWorker>();
    this.#worker.once('message', answer.resolve);
    this.#worker.postMessage(invoke);
    const message = await Promise.race([answer.promise, this.ended]);
    if (message.kind === 'failed') throw new LambdaInvocationError(this.#name, message.error);
    return message.kind === 'succeeded' ? JSON.parse(message.responseJson) : undefined;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Call before the log is closed: the thread's last output may still be in flight. */
  stopLogging(): void {
    this.#worker.stdout.unpipe(this.#log);
    this.#worker.stderr.unpipe(this.#log);
  }
}

function startWorker({ environment, initTimeoutMs: _, ...settings }: ThreadOptions): Worker {
  const { functionName, memoryMb } = settings;
  return new Worker(new URL('./worker.ts', import.meta.url), {
    name: `lambda ${functionName}`,
    workerData: settings satisfies WorkerSettings,
    env: {
      AWS_LAMBDA_FUNCTION_NAME: functionName,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${functionName}`,
      AWS_LAMBDA_LOG_STREAM_NAME: 'local',
      ...environment,
    },
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    stdout: true,
    stderr: true,
  });
}
