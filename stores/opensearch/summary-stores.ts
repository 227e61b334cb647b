import type { Client } from '@opensearch-project/opensearch';
import type { Log } from '../../core/runtime/log.ts';
import type { SampleCounts } from '../../core/summarise/ports.ts';
import { OpenSearchBulk } from './bulk.ts';
import { type Lease, withLease } from './lease.ts';
import { OpenSearchSearch } from './search.ts';
import { OpenSearchSummaries } from './summaries.ts';
import { OpenSearchTicks } from './ticks.ts';

/** Everything in OpenSearch that summarising reads and writes, for as long as the lease is held. */
export interface SummaryStores {
  store: OpenSearchSummaries;
  ticks: OpenSearchTicks;
  counts: SampleCounts;
}

export interface SummaryStoresOptions {
  client: Client;
  log: Log;
  /** For people: what the stores are wanted for. */
  purpose: string;
  /** Epoch ms until which the lease is waited for. */
  waitUntilMs: number;
  /** Epoch ms until which what failed is tried again. */
  deadlineMs: number;
}

/**
 * Works on the summaries while nobody else does.
 * @throws LeaseBusyError where somebody else does until `waitUntilMs`
 */
export function withSummaryStores<T>(
  { client, log, purpose, waitUntilMs, deadlineMs }: SummaryStoresOptions,
  work: (stores: SummaryStores) => Promise<T>,
): Promise<T> {
  return withLease({ client, purpose, waitUntilMs }, async (lease: Lease) => {
    const search = new OpenSearchSearch(client, deadlineMs);
    const bulk = new OpenSearchBulk(client, {
      onRetry: ({ attempt, delayMs, error }) =>
        log.warn('Summaries are sent again', { attempt, delayMs, error: error as Error }),
    });
    const ticks = new OpenSearchTicks(client, search, deadlineMs);
    const store = new OpenSearchSummaries({
      client,
      search,
      bulk,
      deadlineMs,
      mayWrite: () => lease.assertHeld(),
    });
    const counts: SampleCounts = {
      tickCounts: (fromMs, toMs) => ticks.tickCounts(fromMs, toMs),
      candleSamples: (fromMs, toMs) => store.candleSamples(fromMs, toMs),
    };
    const result = await work({ store, ticks, counts });
    await store.refresh();
    return result;
  });
}
