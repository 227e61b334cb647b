import type { Client } from '@opensearch-project/opensearch';
import type { Admin } from 'kafkajs';
import { TICKER_INDICES } from '../../core/market/index-names.ts';
import { type TickerIdentity, tickerId } from '../../core/market/ticker.ts';
import type { S3Lake } from '../../stores/s3/lake.ts';
import { TOPIC } from './resources.ts';

export interface ExchangeCounts {
  lakeRecords: number;
  /** Distinct ids among the lake's records. */
  lakeIds: number;
  documentsIndexed: number;
  /** Records under `rejected/`. */
  rejected: number;
}

export interface StoreCounts extends ExchangeCounts {
  lakeObjects: number;
  /** Records on the topic, including replayed ones. */
  recordsProduced: number;
  exchanges: Record<string, ExchangeCounts>;
}

/** Objects read at once. */
const READERS = 8;

/** Counts what is in the lake, on the topic and in the index. */
export async function countStores(stores: {
  lake: S3Lake;
  admin: Admin;
  openSearch: Client;
}): Promise<StoreCounts> {
  const { lake, admin, openSearch } = stores;
  const none: ExchangeCounts = { lakeRecords: 0, lakeIds: 0, documentsIndexed: 0, rejected: 0 };
  const exchanges = new Map<string, ExchangeCounts>();
  const countsOf = (exchange: string) => {
    const counts = exchanges.get(exchange) ?? { ...none };
    exchanges.set(exchange, counts);
    return counts;
  };
  const ids = new Set<string>();
  const lakeObjects = await readLines(lake, 'tickers/', (line) => {
    const ticker = JSON.parse(line) as TickerIdentity;
    const counts = countsOf(ticker.exchange);
    const id = tickerId(ticker);
    counts.lakeRecords += 1;
    if (!ids.has(id)) counts.lakeIds += 1;
    ids.add(id);
  });
  await readLines(lake, 'rejected/', (line) => {
    countsOf((JSON.parse(line) as { exchange: string }).exchange).rejected += 1;
  });
  const offsets = await admin.fetchTopicOffsets(TOPIC);
  const documents = await countDocuments(openSearch);
  for (const { key, doc_count } of documents.byExchange) countsOf(key).documentsIndexed = doc_count;
  const sum = (name: keyof ExchangeCounts) =>
    [...exchanges.values()].reduce((total, counts) => total + counts[name], 0);
  return {
    lakeObjects,
    lakeRecords: sum('lakeRecords'),
    lakeIds: sum('lakeIds'),
    recordsProduced: offsets.reduce((total, { low, high }) => total + Number(high) - Number(low), 0),
    documentsIndexed: documents.total,
    rejected: sum('rejected'),
    exchanges: Object.fromEntries([...exchanges].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

async function countDocuments(openSearch: Client) {
  await openSearch.indices.refresh({ index: TICKER_INDICES });
  const aggs = { exchanges: { terms: { field: 'exchange', size: 1_000 } } };
  const { body } = await openSearch.search({
    index: TICKER_INDICES,
    body: { size: 0, track_total_hits: true, aggs },
  });
  const { total } = body.hits;
  const { buckets = [] } = (body.aggregations?.exchanges ?? {}) as {
    buckets?: { key: string; doc_count: number }[];
  };
  return { total: typeof total === 'number' ? total : (total?.value ?? 0), byExchange: buckets };
}

/** Reads every line under a prefix. @returns the number of objects */
async function readLines(lake: S3Lake, prefix: string, onLine: (line: string) => void): Promise<number> {
  const keys = lake.keys(prefix);
  let objects = 0;
  const reader = async () => {
    for (let next = await keys.next(); !next.done; next = await keys.next()) {
      objects += 1;
      for (const line of (await lake.readLines(next.value)) ?? []) onLine(line);
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return objects;
}

/** The nearest-rank percentile of values; NaN if there are none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
