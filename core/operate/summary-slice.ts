import type { OperationServices, Slice, SliceBudget } from './operation.ts';
import type { SummaryStores } from './ports.ts';

/** Between two slices, to let others have the lease. */
const STEP_BACK_MS = 200;
/** How long after a slice's time failed requests are retried. */
const RETRY_MS = 20_000;

/**
 * Does one slice of an operation that writes summaries, while no other process writes any.
 * @param cursor undefined for the first slice
 * @param busy the answer if somebody else kept the lease for all of the slice's time: the same slice again
 */
export async function summarySlice<Output>(
  purpose: string,
  cursor: unknown,
  { summaryLease, log, now, sleep }: OperationServices,
  { deadlineMs }: SliceBudget,
  busy: Slice<Output>,
  work: (stores: SummaryStores, hasTime: () => boolean) => Promise<Slice<Output>>,
): Promise<Slice<Output>> {
  if (cursor !== undefined) await sleep(STEP_BACK_MS);
  const lease = { purpose, waitUntilMs: deadlineMs, deadlineMs: deadlineMs + RETRY_MS };
  const held = await summaryLease.hold(lease, (stores) => work(stores, () => now() < deadlineMs));
  if (held.kind === 'done') return held.result;
  log.info('Waiting for another writer of summaries', { purpose, holder: held.holder });
  return busy;
}
