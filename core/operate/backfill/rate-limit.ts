import { RateLimitedError } from '../../ingest/source-errors.ts';
import type { OperationServices } from '../operation.ts';

/** How long to retry an exchange that does not answer, whatever the slice's time. */
export const PATIENCE_MS = 15_000;

/**
 * Waits as long as the exchange asked, but not after `deadlineMs` (epoch ms).
 * @throws the error, if it is not that the exchange asked to wait
 */
export async function waitAsAsked(
  error: unknown,
  deadlineMs: number,
  { log, now, sleep }: Pick<OperationServices, 'log' | 'now' | 'sleep'>,
): Promise<void> {
  if (!(error instanceof RateLimitedError)) throw error;
  const { retryAtMs = 0 } = error;
  log.warn('The exchange asked to wait', { until: new Date(retryAtMs).toISOString() });
  await sleep(Math.max(0, Math.min(retryAtMs, deadlineMs) - now()));
}
