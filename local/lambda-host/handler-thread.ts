import type { Writable } from 'node:stream';
import { LambdaInitError, LambdaInvocationError } from './errors.ts';
import { type FromWorker, type FunctionError, functionError, type Invoke } from './messages.ts';
import { type Runtime, type RuntimeOptions, startProcess, startThread } from './runtimes.ts';

export interface ThreadOptions extends RuntimeOptions {
  readonly initTimeoutMs: number;
  readonly ownProcess: boolean;
}

/** A thread, or a process, with an imported handler, from its start to its end. */
export class HandlerThread {
  /** Fulfilled when the module is imported; rejects with {@link LambdaInitError}. */
  readonly ready: Promise<void>;
  /** Rejects when the thread ends for any reason. */
  readonly ended: Promise<never>;
  readonly #name: string;
  readonly #runtime: Runtime;
  readonly #log: Writable;

  constructor(options: ThreadOptions, log: Writable) {
    this.#name = options.functionName;
    this.#log = log;
    const { initTimeoutMs, ownProcess, ...runtime } = options;
    this.#runtime = ownProcess ? startProcess(runtime) : startThread(runtime);
    const { stdout, stderr, events } = this.#runtime;
    stdout.pipe(log, { end: false });
    stderr.pipe(log, { end: false });
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<never>();
    ready.promise.catch(() => {});
    ended.promise.catch(() => {});
    this.ready = ready.promise;
    this.ended = ended.promise;

    const initFailed = (error: FunctionError) =>
      ready.reject(new LambdaInitError(this.#name, options.handlerUrl, error));
    const timer = setTimeout(() => {
      const errorMessage = `the import took longer than ${initTimeoutMs} ms`;
      initFailed({ errorType: 'Runtime.InitTimeout', errorMessage, trace: [] });
    }, initTimeoutMs);
    events.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') ready.resolve();
      if (message.kind === 'initFailed') initFailed(message.error);
      clearTimeout(timer);
    });
    let crash: FunctionError | undefined;
    events.on('error', (thrown) => {
      crash = functionError(thrown);
      log.write(`${crash.trace.join('\n')}\n`);
    });
    events.on('exit', (code) => {
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
    this.#runtime.events.once('message', answer.resolve);
    this.#runtime.post(invoke);
    const message = await Promise.race([answer.promise, this.ended]);
    if (message.kind === 'failed') throw new LambdaInvocationError(this.#name, message.error);
    return message.kind === 'succeeded' ? JSON.parse(message.responseJson) : undefined;
  }

  terminate(): Promise<void> {
    return this.#runtime.end();
  }

  /** Call before the log is closed: the thread's last output may still be in flight. */
  stopLogging(): void {
    this.#runtime.stdout.unpipe(this.#log);
    this.#runtime.stderr.unpipe(this.#log);
  }
}
