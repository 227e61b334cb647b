import { setTimeout as wait } from 'node:timers/promises';
import { LeaseBusyError } from '../../stores/opensearch/lease.ts';
import { type SummaryStores, withSummaryStores } from '../../stores/opensearch/summary-stores.ts';
import type { OperationServices, Slice, SliceBudget } from './operation.ts';

/** Between two slices, so that whoever waits for the lease gets it. */
const STEP_BACK_MS = 200;
/** How long after a slice's time what failed in it is tried again. */
const RETRY_MS = 20_000;

/**
 * Does one slice of an operation that writes summaries, while nobody else writes any. Where somebody else does for all
 * of the slice's time, the answer is `busy`: the same slice again.
 * @param cursor undefined at the first slice
 */
export async function summarySlice<Output>(
  purpose: string,
  cursor: unknown,
  { openSearch, log }: OperationServices,
  { deadlineMs }: SliceBudget,
  busy: Slice<Output>,
  work: (stores: SummaryStores, hasTime: () => boolean) => Promise<Slice<Output>>,
): Promise<Slice<Output>> {
  if (cursor !== undefined) await wait(STEP_BACK_MS);
  try {
    return await withSummaryStores(
      { client: openSearch, log, purpose, waitUntilMs: deadlineMs, deadlineMs: deadlineMs + RETRY_MS },
      (stores) => work(stores, () => Date.now() < deadlineMs),
    );
  } catch (error) {
    if (!(error instanceof LeaseBusyError)) throw error;
    log.info('Waits for another writer of summaries', { purpose, holder: error.holder });
    return busy;
  }
}
