import type { FunctionError } from './messages.ts';

/** The base class of errors of locally hosted Lambda functions. */
export class LambdaError extends Error {
  override readonly name: string = 'LambdaError';
  readonly functionName: string;

  constructor(functionName: string, message: string) {
    super(message);
    this.functionName = functionName;
  }
}

/**
 * The handler threw, or its process ended during the invocation (`errorType` `Runtime.ExitError`). The error crossed a
 * thread, so `cause` is undefined; `trace` has the stacks of the causes.
 */
export class LambdaInvocationError extends LambdaError {
  override readonly name: string = 'LambdaInvocationError';
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];

  constructor(functionName: string, { errorType, errorMessage, trace }: FunctionError) {
    super(functionName, `Lambda function "${functionName}" failed: ${errorType}: ${errorMessage}`);
    this.errorType = errorType;
    this.errorMessage = errorMessage;
    this.trace = trace;
  }
}

/** The handler's module could not be loaded. */
export class LambdaInitError extends LambdaInvocationError {
  override readonly name = 'LambdaInitError';

  constructor(functionName: string, handlerUrl: string, error: FunctionError) {
    super(functionName, error);
    this.message = `Lambda function "${functionName}" could not be loaded from ${handlerUrl}: ${error.errorType}: ${error.errorMessage}`;
  }
}

/** The handler did not answer in time, and its thread was ended. */
export class LambdaTimeoutError extends LambdaError {
  override readonly name = 'LambdaTimeoutError';

  constructor(functionName: string, timeoutMs: number) {
    super(
      functionName,
      `Lambda function "${functionName}": Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
    );
  }
}

/** The host was closed before or during the invocation. */
export class LambdaClosedError extends LambdaError {
  override readonly name = 'LambdaClosedError';

  constructor(functionName: string) {
    super(functionName, `Lambda function "${functionName}" is closed`);
  }
}
