import { randomUUID } from 'node:crypto';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { LambdaClosedError, LambdaInitError, LambdaInvocationError, LambdaTimeoutError } from './errors.ts';
import { HandlerThread, type ThreadOptions } from './handler-thread.ts';

export interface LambdaFunctionOptions {
  readonly name: string;
  /** Absolute path or file URL of a module that exports `handler`. */
  readonly handlerFile: string | URL;
  /** The function's whole environment, apart from the variables that Lambda itself sets (AWS_LAMBDA_…). */
  readonly environment: Readonly<Record<string, string>>;
  /** For one invocation, not counting the start of its thread. */
  readonly timeoutMs: number;
  /** The function's output is appended to it. Its folder is created if absent. */
  readonly logFile: string;
  /** For importing the module. @default 10_000, as in AWS */
  readonly initTimeoutMs?: number;
}

/** A Lambda function on this machine. */
export interface LambdaFunction {
  /**
   * Calls the handler and returns its answer; event and answer pass through JSON. Calls wait for their turn.
   *
   * Rejects with {@link LambdaInvocationError}, {@link LambdaInitError}, {@link LambdaTimeoutError} or
   * {@link LambdaClosedError}.
   */
  invoke(event: unknown): Promise<unknown>;
  /** Ends the thread at once; running and waiting calls reject with {@link LambdaClosedError}. */
  close(): Promise<void>;
}

/**
 * Hosts a handler as Lambda does: in a thread with its own environment, imported once, called with one event at a
 * time, ended when it exceeds its time. After a crash or a timeout the next call gets a new thread. The first thread
 * starts at once, so that its imports overlap with the rest of the start.
 *
 * Unlike on AWS the thread is not frozen between invocations, and it shares the process: working directory, time zone
 * and file descriptors (direct writes to descriptor 1 do not reach the log file).
 */
export function startLambda(options: LambdaFunctionOptions): LambdaFunction {
  return new HostedLambda(options);
}

class HostedLambda implements LambdaFunction {
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #threadOptions: ThreadOptions;
  readonly #log: WriteStream;
  readonly #closed = Promise.withResolvers<never>();
  #isClosed = false;
  #thread: HandlerThread | undefined;
  /** Settles with the last call in the queue. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor({ name, handlerFile, environment, timeoutMs, logFile, initTimeoutMs }: LambdaFunctionOptions) {
    this.#name = name;
    this.#timeoutMs = timeoutMs;
    this.#threadOptions = {
      functionName: name,
      handlerUrl: handlerUrl(handlerFile),
      memoryMb: 512,
      environment,
      initTimeoutMs: initTimeoutMs ?? 10_000,
    };
    mkdirSync(path.dirname(logFile), { recursive: true });
    this.#log = createWriteStream(logFile, { flags: 'a' });
    this.#log.on('error', (error) =>
      process.stderr.write(`Cannot write the log of Lambda function "${name}": ${error.message}\n`),
    );
    this.#closed.promise.catch(() => {});
    this.#thread = this.#startThread();
  }

  async invoke(event: unknown): Promise<unknown> {
    // Serialized now, because the caller may change the event while the call waits for its turn.
    const eventJson = JSON.stringify(event) ?? 'null';
    const turn = this.#queue.then(() => this.#run(eventJson));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#closed.reject(new LambdaClosedError(this.#name));
    }
    const thread = this.#thread;
    await thread?.terminate();
    await this.#queue;
    thread?.stopLogging();
    this.#log.end();
    await finished(this.#log).catch(() => {});
  }

  async #run(eventJson: string): Promise<unknown> {
    if (this.#isClosed) throw new LambdaClosedError(this.#name);
    this.#thread ??= this.#startThread();
    const thread = this.#thread;
    const requestId = randomUUID();
    try {
      await Promise.race([thread.ready, thread.ended, this.#closed.promise]);
      return await this.#call(thread, requestId, eventJson);
    } catch (error) {
      if (error instanceof LambdaClosedError) throw error;
      this.#log.write(`ERROR RequestId: ${requestId} ${error instanceof Error ? error.message : error}\n`);
      // After an error of the handler itself the thread can be called again.
      const handlerThrew = error instanceof LambdaInvocationError && !(error instanceof LambdaInitError);
      if (!handlerThrew) {
        this.#forget(thread);
        await thread.terminate();
      }
      throw error;
    }
  }

  async #call(thread: HandlerThread, requestId: string, eventJson: string): Promise<unknown> {
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => timeout.reject(new LambdaTimeoutError(this.#name, this.#timeoutMs)),
      this.#timeoutMs,
    );
    try {
      const answer = thread.call({ requestId, eventJson, deadlineMs: Date.now() + this.#timeoutMs });
      return await Promise.race([answer, timeout.promise, this.#closed.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #startThread(): HandlerThread {
    const thread = new HandlerThread(this.#threadOptions, this.#log);
    thread.ended.catch(() => this.#forget(thread));
    return thread;
  }

  #forget(thread: HandlerThread): void {
    if (this.#thread === thread) this.#thread = undefined;
  }
}

function handlerUrl(file: string | URL): string {
  if (file instanceof URL) return file.href;
  if (file.startsWith('file:')) return file;
  if (path.isAbsolute(file)) return pathToFileURL(file).href;
  throw new TypeError(`handlerFile must be an absolute path or a file URL, not "${file}"`);
}
