import type { Client } from '@opensearch-project/opensearch';
import type { Admin } from 'kafkajs';
import { TICKER_INDICES } from '../../core/market/index-names.ts';
import { type TickerIdentity, tickerId } from '../../core/market/ticker.ts';
import type { S3Lake } from '../../stores/s3/lake.ts';
import { ARTICLE_QUERIES, type ArticleAnswer, percentilesOf } from './article-queries.ts';
import { TOPIC } from './resources.ts';

/** What the stores hold, counted in the stores. */
export interface StoreCounts {
  lakeObjects: number;
  lakeRecords: number;
  /** Different ids among the lake's records. */
  lakeIds: number;
  /** Records on the topic; a replayed one counts again. */
  recordsProduced: number;
  documentsIndexed: number;
  /** Records under `rejected/`. */
  rejected: number;
  /** The same, by exchange. */
  exchanges: Record<string, ExchangeCounts>;
}

export interface ExchangeCounts {
  lakeRecords: number;
  lakeIds: number;
  documentsIndexed: number;
  rejected: number;
}

export interface Stores {
  lake: S3Lake;
  admin: Admin;
  openSearch: Client;
}

/** Counts what lies in the lake, on the topic and in the index, whoever put it there. */
export async function countStores({ lake, admin, openSearch }: Stores): Promise<StoreCounts> {
  const ids = new Set<string>();
  const exchanges = new Map<string, ExchangeCounts>();
  const countsOf = (exchange: string) => {
    const none = { lakeRecords: 0, lakeIds: 0, documentsIndexed: 0, rejected: 0 };
    const counts = exchanges.get(exchange) ?? none;
    exchanges.set(exchange, counts);
    return counts;
  };
  const tickers = await countObjects(lake, 'tickers/', (line) => {
    const ticker = JSON.parse(line) as TickerIdentity;
    const counts = countsOf(ticker.exchange);
    const id = tickerId(ticker);
    counts.lakeRecords += 1;
    if (!ids.has(id)) counts.lakeIds += 1;
    ids.add(id);
  });
  const rejected = await countObjects(lake, 'rejected/', (line) => {
    countsOf((JSON.parse(line) as { exchange: string }).exchange).rejected += 1;
  });
  const offsets = await admin.fetchTopicOffsets(TOPIC);
  const recordsProduced = offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
  await openSearch.indices.refresh({ index: TICKER_INDICES });
  const { body } = await openSearch.count({ index: TICKER_INDICES });
  const { body: byExchange } = await openSearch.search({
    index: TICKER_INDICES,
    body: BY_EXCHANGE,
  });
  const { buckets = [] } = (byExchange.aggregations?.exchanges ?? {}) as {
    buckets?: { key: string; doc_count: number }[];
  };
  for (const { key, doc_count } of buckets) countsOf(key).documentsIndexed = doc_count;
  return {
    lakeObjects: tickers.objects,
    lakeRecords: tickers.records,
    lakeIds: ids.size,
    recordsProduced,
    documentsIndexed: body.count,
    rejected: rejected.records,
    exchanges: Object.fromEntries([...exchanges].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

const BY_EXCHANGE: object = {
  size: 0,
  aggs: { exchanges: { terms: { field: 'exchange', size: 1_000 } } },
};

/** Objects read at once. */
const READERS = 8;

async function countObjects(lake: S3Lake, prefix: string, onLine: (line: string) => void = () => {}) {
  const keys = lake.keys(prefix);
  const counts = { objects: 0, records: 0 };
  const reader = async () => {
    for (let next = await keys.next(); !next.done; next = await keys.next()) {
      const lines = (await lake.readLines(next.value)) ?? [];
      counts.objects += 1;
      counts.records += lines.length;
      lines.forEach(onLine);
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return counts;
}

/**
 * The article's queries, unchanged, with their answers; where the index knows no BTCUSDT (the market replay's
 * currencies are quoted in USD), the second one for its first symbol, too.
 */
export async function askArticleQueries(openSearch: Client): Promise<ArticleAnswer[]> {
  const ask = async (title: string, query: object): Promise<ArticleAnswer> => {
    const { body } = await openSearch.search({
      index: TICKER_INDICES,
      body: { ...query, track_total_hits: true },
    });
    const total = body.hits.total;
    return {
      title,
      query,
      hits: typeof total === 'number' ? total : (total?.value ?? 0),
      aggregations: (body.aggregations ?? {}) as unknown as ArticleAnswer['aggregations'],
    };
  };
  const answers: ArticleAnswer[] = [];
  for (const { title, query } of ARTICLE_QUERIES) answers.push(await ask(title, query));
  const symbols = answers[0]?.aggregations.by_symbol?.buckets.map(({ key }) => key) ?? [];
  if (answers[1]?.hits === 0 && symbols.length > 0) {
    const symbol = symbols.find((name) => name.startsWith('BTC')) ?? (symbols[0] as string);
    answers.push(await ask(`The same of ${symbol}, as there is no BTCUSDT here`, percentilesOf(symbol)));
  }
  return answers;
}

/** The nearest-rank percentile of values, NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
