import type { Context } from 'aws-lambda';

/** What a handler asks of its context: a minute from now on. */
export function lambdaContext(): Context {
  const endMs = Date.now() + 60_000;
  return { getRemainingTimeInMillis: () => endMs - Date.now() } as Context;
}
