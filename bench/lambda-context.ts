import type { Context } from 'aws-lambda';

/** A Lambda context with a minute left. */
export function lambdaContext(): Context {
  const endMs = Date.now() + 60_000;
  return { getRemainingTimeInMillis: () => endMs - Date.now() } as Context;
}
