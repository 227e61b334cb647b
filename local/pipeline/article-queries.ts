/** The two queries of the article that this project grew from, to be run unchanged. */
export const ARTICLE_QUERIES = [
  {
    title: 'Percentiles of the 24 h change by symbol',
    query: {
      size: 0,
      aggs: {
        by_symbol: {
          terms: { field: 'symbol.keyword', size: 10 },
          aggs: { volatility: { percentiles: { field: 'price_24h_pcnt', percents: [25, 50, 75, 95, 99] } } },
        },
      },
    },
  },
  {
    title: 'Percentiles of the 24 h change of BTCUSDT',
    query: percentilesOf('BTCUSDT'),
  },
] as const;

/** The article's second query, for any symbol. */
export function percentilesOf(symbol: string) {
  return {
    size: 0,
    query: { match: { symbol } },
    aggs: { p: { percentiles: { field: 'price_24h_pcnt', percents: [1, 5, 25, 50, 75, 95, 99] } } },
  };
}

/** A query and what OpenSearch answered to it. */
export interface ArticleAnswer {
  title: string;
  query: unknown;
  hits: number;
  aggregations: {
    by_symbol?: { buckets: { key: string; doc_count: number; volatility: Percentiles }[] };
    p?: Percentiles;
  };
}

/** By percent ("50.0"); null where there is no document. Fractions: 0.0068 is 0.68 %. */
export interface Percentiles {
  values: Record<string, number | null>;
}
