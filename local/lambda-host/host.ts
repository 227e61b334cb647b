import { randomUUID } from 'node:crypto';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { withinTime } from '../../core/runtime/wait.ts';
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
  /** Instead of in a thread: for a handler with native code that takes long, which cannot be ended in a thread. @default false */
  readonly ownProcess?: boolean;
  /** The most invocations at a time, each in a thread of its own. @default 1 */
  readonly concurrency?: number;
}

/** A Lambda function on this machine. */
export interface LambdaFunction {
  /**
   * Calls the handler and returns its answer; event and answer pass through JSON. Calls wait, in order, for a thread.
   *
   * Rejects with {@link LambdaInvocationError}, {@link LambdaInitError}, {@link LambdaTimeoutError} or
   * {@link LambdaClosedError}.
   */
  invoke(event: unknown): Promise<unknown>;
  /** Ends the threads at once; running and waiting calls reject with {@link LambdaClosedError}. */
  close(): Promise<void>;
}

/**
 * Hosts a handler as Lambda does: in a thread with its own environment, imported once, called with one event at a
 * time, ended when it exceeds its time. After a crash or a timeout the next call gets a new thread. The first thread
 * starts at once, so that its imports overlap with the rest of the start; up to `concurrency` start when calls wait.
 *
 * Unlike on AWS a thread is not frozen between invocations, and it shares the process: working directory, time zone
 * and file descriptors (direct writes to descriptor 1 do not reach the log file).
 */
export function startLambda(options: LambdaFunctionOptions): LambdaFunction {
  return new HostedLambda(options);
}

interface Call {
  readonly eventJson: string;
  readonly answer: PromiseWithResolvers<unknown>;
}

/** The place of one thread, which is replaced when it ends. */
interface Place {
  thread: HandlerThread | undefined;
  /** While it has calls to answer. */
  serving: Promise<void> | undefined;
}

class HostedLambda implements LambdaFunction {
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #threadOptions: ThreadOptions;
  readonly #log: WriteStream;
  readonly #closed = Promise.withResolvers<never>();
  #isClosed = false;
  readonly #places: readonly Place[];
  /** Calls that no thread has taken yet. */
  readonly #waiting: Call[] = [];

  constructor(options: LambdaFunctionOptions) {
    const { name, handlerFile, environment, timeoutMs, logFile, concurrency = 1 } = options;
    this.#name = name;
    this.#timeoutMs = timeoutMs;
    this.#threadOptions = {
      functionName: name,
      handlerUrl: handlerUrl(handlerFile),
      memoryMb: 512,
      environment,
      initTimeoutMs: options.initTimeoutMs ?? 10_000,
      ownProcess: options.ownProcess ?? false,
    };
    mkdirSync(path.dirname(logFile), { recursive: true });
    this.#log = createWriteStream(logFile, { flags: 'a' });
    this.#log.on('error', (error) =>
      process.stderr.write(`Cannot write the log of Lambda function "${name}": ${error.message}\n`),
    );
    this.#closed.promise.catch(() => {});
    this.#places = Array.from({ length: concurrency }, () => ({ thread: undefined, serving: undefined }));
    this.#startThread(this.#places[0] as Place);
  }

  async invoke(event: unknown): Promise<unknown> {
    if (this.#isClosed) throw new LambdaClosedError(this.#name);
    // Serialized now, because the caller may change the event while the call waits for its turn.
    const call: Call = { eventJson: JSON.stringify(event) ?? 'null', answer: Promise.withResolvers() };
    this.#waiting.push(call);
    const idle = this.#places.filter(({ serving }) => !serving);
    const place = idle.find(({ thread }) => thread) ?? idle[0];
    if (place) place.serving = this.#serve(place);
    return call.answer.promise;
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#closed.reject(new LambdaClosedError(this.#name));
      for (const { answer } of this.#waiting.splice(0)) answer.reject(new LambdaClosedError(this.#name));
    }
    const threads = this.#places.flatMap(({ thread }) => thread ?? []);
    await Promise.all(threads.map((thread) => thread.terminate()));
    await Promise.all(this.#places.map(({ serving }) => serving));
    for (const thread of threads) thread.stopLogging();
    this.#log.end();
    await finished(this.#log).catch(() => {});
  }

  /** Answers calls until none is waiting. One that waits for this thread's start may be taken by another. */
  async #serve(place: Place): Promise<void> {
    while (this.#waiting.length > 0) {
      const thread = place.thread ?? this.#startThread(place);
      const requestId = randomUUID();
      let call: Call | undefined;
      try {
        await Promise.race([thread.ready, thread.ended, this.#closed.promise]);
        call = this.#waiting.shift();
        call?.answer.resolve(await this.#call(thread, requestId, call.eventJson));
      } catch (error) {
        call ??= this.#waiting.shift();
        call?.answer.reject(error);
        await this.#afterFailure(place, thread, requestId, error);
      }
    }
    // In the same turn as the check; otherwise a call that arrives in between would wait forever.
    place.serving = undefined;
  }

  async #afterFailure(place: Place, thread: HandlerThread, requestId: string, error: unknown): Promise<void> {
    if (error instanceof LambdaClosedError) return;
    this.#log.write(`ERROR RequestId: ${requestId} ${error instanceof Error ? error.message : error}\n`);
    // After an error of the handler itself the thread can be called again.
    const handlerThrew = error instanceof LambdaInvocationError && !(error instanceof LambdaInitError);
    if (handlerThrew) return;
    forget(place, thread);
    await thread.terminate();
  }

  async #call(thread: HandlerThread, requestId: string, eventJson: string): Promise<unknown> {
    const deadlineMs = Date.now() + this.#timeoutMs;
    const answer = Promise.race([thread.call({ requestId, eventJson, deadlineMs }), this.#closed.promise]);
    return withinTime(this.#timeoutMs, answer, () => new LambdaTimeoutError(this.#name, this.#timeoutMs));
  }

  #startThread(place: Place): HandlerThread {
    const thread = new HandlerThread(this.#threadOptions, this.#log);
    place.thread = thread;
    thread.ended.catch(() => forget(place, thread));
    return thread;
  }
}

function forget(place: Place, thread: HandlerThread): void {
  if (place.thread === thread) place.thread = undefined;
}

function handlerUrl(file: string | URL): string {
  if (file instanceof URL) return file.href;
  if (file.startsWith('file:')) return file;
  if (path.isAbsolute(file)) return pathToFileURL(file).href;
  throw new TypeError(`handlerFile must be an absolute path or a file URL, not "${file}"`);
}
