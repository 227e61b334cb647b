import { randomUUID } from 'node:crypto';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { LambdaClosedError, LambdaInitError, LambdaInvocationError, LambdaTimeoutError } from './errors.ts';
import type { FromWorker, FunctionError, Invoke, WorkerSettings } from './messages.ts';
import { functionError } from './messages.ts';

export {
  LambdaClosedError,
  LambdaError,
  LambdaInitError,
  LambdaInvocationError,
  LambdaTimeoutError,
} from './errors.ts';

export interface LambdaFunctionOptions {
  readonly name: string;
  /** Absolute path or file URL of a module that exports `handler`. */
  readonly handlerFile: string | URL;
  /** All of the function's environment, besides the variables that Lambda itself sets (AWS_LAMBDA_…). */
  readonly environment: Readonly<Record<string, string>>;
  /** For one invocation, not counting the start of its thread. */
  readonly timeoutMs: number;
  /** Limits the thread's heap. @default 512 */
  readonly memoryMb?: number;
  /** Receives what the function prints, appended. Its folder is made. */
  readonly logFile: string;
  /** For importing the module. @default 10_000, as in AWS */
  readonly initTimeoutMs?: number;
}

/** A Lambda function on this machine. */
export interface LambdaFunction {
  /**
   * Calls the handler with a copy of the event that went through JSON, and fulfils with its answer, which did
   * too. Calls made meanwhile wait for their turn.
   *
   * Rejects with {@link LambdaInvocationError}, {@link LambdaInitError}, {@link LambdaTimeoutError} or
   * {@link LambdaClosedError}.
   */
  invoke(event: unknown): Promise<unknown>;
  /** Ends the thread at once; what runs or waits rejects with {@link LambdaClosedError}. */
  close(): Promise<void>;
}

/**
 * Hosts a handler as Lambda would: in a thread with an environment of its own, imported once, called for one
 * event at a time, ended when it exceeds its time; after a crash or a timeout the next call gets a fresh one.
 * The thread starts at once, so that its imports overlap with whatever else is starting.
 *
 * Unlike AWS the thread is not frozen between invocations and shares the process: working directory, time
 * zone, and file descriptors (what is written to descriptor 1 directly does not reach the log file).
 */
export function startLambda(options: LambdaFunctionOptions): LambdaFunction {
  return new HostedLambda(options);
}

/** A worker thread, from its start to its end. */
interface Instance {
  readonly worker: Worker;
  /** Fulfilled once the module is imported; rejects with {@link LambdaInitError}. */
  readonly ready: Promise<void>;
  /** Rejects when the thread ends, for whatever reason. */
  readonly ended: Promise<never>;
}

class HostedLambda implements LambdaFunction {
  readonly #options: LambdaFunctionOptions;
  readonly #handlerUrl: string;
  readonly #log: WriteStream;
  readonly #closed = Promise.withResolvers<never>();
  #isClosed = false;
  #instance: Instance | undefined;
  /** Settled when the last invocation in line is. */
  #line: Promise<unknown> = Promise.resolve();

  constructor(options: LambdaFunctionOptions) {
    this.#options = options;
    this.#handlerUrl = handlerUrl(options.handlerFile);
    mkdirSync(path.dirname(options.logFile), { recursive: true });
    this.#log = createWriteStream(options.logFile, { flags: 'a' });
    this.#log.on('error', (error) =>
      process.stderr.write(`The log of Lambda function "${options.name}" is not written: ${error.message}\n`),
    );
    this.#closed.promise.catch(() => {});
    this.#instance = this.#start();
  }

  async invoke(event: unknown): Promise<unknown> {
    // The event is fixed now: the caller may change it while the call waits for its turn.
    const eventJson = JSON.stringify(event) ?? 'null';
    const turn = this.#line.then(() => this.#run(eventJson));
    this.#line = turn.catch(() => {});
    return turn;
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#closed.reject(new LambdaClosedError(this.#options.name));
    }
    const instance = this.#instance;
    await this.#end(instance);
    await this.#line;
    // What the thread printed at the very end may still be on its way.
    instance?.worker.stdout.unpipe(this.#log);
    instance?.worker.stderr.unpipe(this.#log);
    this.#log.end();
    await finished(this.#log).catch(() => {});
  }

  async #run(eventJson: string): Promise<unknown> {
    if (this.#isClosed) throw new LambdaClosedError(this.#options.name);
    this.#instance ??= this.#start();
    const instance = this.#instance;
    const requestId = randomUUID();
    try {
      await Promise.race([instance.ready, instance.ended, this.#closed.promise]);
      return await this.#call(instance, requestId, eventJson);
    } catch (error) {
      if (error instanceof LambdaClosedError) throw error;
      this.#log.write(`ERROR RequestId: ${requestId} ${error instanceof Error ? error.message : error}\n`);
      // A handler that threw lives on; anything else leaves nothing to call again.
      const handlerThrew = error instanceof LambdaInvocationError && !(error instanceof LambdaInitError);
      if (!handlerThrew) await this.#end(instance);
      throw error;
    }
  }

  async #call({ worker, ended }: Instance, requestId: string, eventJson: string): Promise<unknown> {
    const { name, timeoutMs } = this.#options;
    const answer = Promise.withResolvers<unknown>();
    const onMessage = (message: FromWorker) => {
      if (message.kind === 'succeeded' && message.requestId === requestId) {
        answer.resolve(JSON.parse(message.responseJson));
      } else if (message.kind === 'failed' && message.requestId === requestId) {
        answer.reject(new LambdaInvocationError(name, message.error));
      }
    };
    worker.on('message', onMessage);
    const timer = setTimeout(() => answer.reject(new LambdaTimeoutError(name, timeoutMs)), timeoutMs);
    try {
      const invoke: Invoke = { requestId, eventJson, deadlineMs: Date.now() + timeoutMs };
      worker.postMessage(invoke);
      return await Promise.race([answer.promise, ended, this.#closed.promise]);
    } finally {
      clearTimeout(timer);
      worker.off('message', onMessage);
    }
  }

  #start(): Instance {
    const { name, environment, memoryMb = 512, initTimeoutMs = 10_000 } = this.#options;
    const settings: WorkerSettings = { functionName: name, handlerUrl: this.#handlerUrl, memoryMb };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      name: `lambda ${name}`,
      workerData: settings,
      env: {
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
        AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
        AWS_LAMBDA_LOG_STREAM_NAME: 'local',
        ...environment,
      },
      argv: [],
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
      stdout: true,
      stderr: true,
    });
    worker.stdout.pipe(this.#log, { end: false });
    worker.stderr.pipe(this.#log, { end: false });

    const initFailed = (error: FunctionError) => new LambdaInitError(name, this.#handlerUrl, error);
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<never>();
    ready.promise.catch(() => {});
    ended.promise.catch(() => {});
    const instance: Instance = { worker, ready: ready.promise, ended: ended.promise };

    const timer = setTimeout(() => {
      const errorMessage = `importing it took longer than ${initTimeoutMs} ms`;
      ready.reject(initFailed({ errorType: 'Runtime.InitTimeout', errorMessage, trace: [] }));
    }, initTimeoutMs);
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') ready.resolve();
      if (message.kind === 'initFailed') ready.reject(initFailed(message.error));
      clearTimeout(timer);
    });

    let crash: FunctionError | undefined;
    worker.on('error', (thrown) => {
      crash = functionError(thrown);
      this.#log.write(`${crash.trace.join('\n')}\n`);
    });
    worker.on('exit', (code) => {
      clearTimeout(timer);
      if (this.#instance === instance) this.#instance = undefined;
      const errorMessage = `the function's process exited with status ${code} before it answered`;
      const error = crash ?? { errorType: 'Runtime.ExitError', errorMessage, trace: [] };
      // In this order: an end during the import is a failed import.
      ready.reject(initFailed(error));
      ended.reject(new LambdaInvocationError(name, error));
    });
    return instance;
  }

  async #end(instance: Instance | undefined): Promise<void> {
    if (!instance) return;
    if (this.#instance === instance) this.#instance = undefined;
    await instance.worker.terminate();
  }
}

function handlerUrl(file: string | URL): string {
  if (file instanceof URL) return file.href;
  if (file.startsWith('file:')) return file;
  if (path.isAbsolute(file)) return pathToFileURL(file).href;
  throw new TypeError(`handlerFile must be an absolute path or a file URL, not "${file}"`);
}
