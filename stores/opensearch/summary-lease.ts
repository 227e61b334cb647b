import type { Client } from '@opensearch-project/opensearch';
import type { SummaryLease } from '../../core/operate/ports.ts';
import type { Log } from '../../core/runtime/log.ts';
import { LeaseBusyError } from './lease.ts';
import { withSummaryStores } from './summary-stores.ts';

/** The lease that is a document in OpenSearch. */
export function summaryLease(client: Client, log: Log): SummaryLease {
  return {
    async hold(lease, work) {
      try {
        return { kind: 'done', result: await withSummaryStores({ client, log, ...lease }, work) };
      } catch (error) {
        if (!(error instanceof LeaseBusyError)) throw error;
        return { kind: 'busy', holder: error.holder };
      }
    },
  };
}
