import type { Client } from '@opensearch-project/opensearch';
import type { Log } from '../../core/runtime/log.ts';
import type { SampleCounts } from '../../core/summarise/ports.ts';
import { OpenSearchBulk } from './bulk.ts';
import { withLease } from './lease.ts';
import { OpenSearchSearch } from './search.ts';
import { OpenSearchSummaries } from './summaries.ts';
import { OpenSearchTicks } from './ticks.ts';

/** Everything that summarising reads and writes, for as long as the lease is held. */
export interface SummaryStores {
  store: OpenSearchSummaries;
  ticks: OpenSearchTicks;
  counts: SampleCounts;
}

export interface SummaryStoresOptions {
  client: Client;
  log: Log;
  /** What the stores are for, in messages. */
  purpose: string;
  /** Until when to wait for the lease, epoch ms. */
  waitUntilMs: number;
  /** Until when failures are retried, epoch ms. */
  deadlineMs: number;
}

/**
 * Works on the summaries while nobody else does.
 * @throws LeaseBusyError if somebody else still works on them at `waitUntilMs`
 */
export function withSummaryStores<T>(
  { client, log, purpose, waitUntilMs, deadlineMs }: SummaryStoresOptions,
  work: (stores: SummaryStores) => Promise<T>,
): Promise<T> {
  return withLease({ client, purpose, waitUntilMs }, async (lease) => {
    const search = new OpenSearchSearch(client, deadlineMs);
    const bulk = new OpenSearchBulk(client, {
      onRetry: ({ attempt, delayMs, error }) =>
        log.warn('Retrying to write summaries', { attempt, delayMs, error: error as Error }),
    });
    const ticks = new OpenSearchTicks(client, search, deadlineMs);
    const store = new OpenSearchSummaries({ client, search, bulk, deadlineMs, lease });
    const counts: SampleCounts = {
      tickTotals: (fromMs, toMs) => ticks.totals(fromMs, toMs),
      tickCounts: (fromMs, toMs) => ticks.tickCounts(fromMs, toMs),
      candleSamples: (fromMs, toMs) => store.candleSamples(fromMs, toMs),
      dailyCandles: (fromMs, toMs) => store.dailyCandles(fromMs, toMs),
    };
    const result = await work({ store, ticks, counts });
    await store.refresh();
    return result;
  });
}
