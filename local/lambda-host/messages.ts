/** The messages between the host and its worker thread. Events and answers travel as JSON text, as on AWS. */

export interface WorkerSettings {
  readonly functionName: string;
  /** File URL of the module that exports `handler`. */
  readonly handlerUrl: string;
  readonly memoryMb: number;
}

export interface Invoke {
  readonly requestId: string;
  readonly eventJson: string;
  /** Epoch ms at which the host ends the invocation. */
  readonly deadlineMs: number;
}

/** How Lambda reports a function error. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'initFailed'; readonly error: FunctionError }
  | { readonly kind: 'succeeded'; readonly responseJson: string }
  | { readonly kind: 'failed'; readonly error: FunctionError };

/** A thrown value as Lambda reports it: class name, message, and the stacks of the error and its causes. */
export function functionError(thrown: unknown): FunctionError {
  if (!(thrown instanceof Error)) {
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  }
  const trace = (thrown.stack ?? `${thrown.name}: ${thrown.message}`).split('\n');
  for (let cause = thrown.cause; cause instanceof Error; cause = cause.cause) {
    trace.push(...`Caused by: ${cause.stack ?? `${cause.name}: ${cause.message}`}`.split('\n'));
    // A chain this long must be a loop.
    if (trace.length > 200) break;
  }
  return { errorType: thrown.name, errorMessage: thrown.message, trace };
}
