import type { Client } from '@opensearch-project/opensearch';
import { TICKER_INDICES } from '../../core/market/index-names.ts';

/** One of the article's queries, and the answer of OpenSearch. */
export interface ArticleAnswer {
  title: string;
  query: object;
  hits: number;
  aggregations: {
    by_symbol?: { buckets: { key: string; doc_count: number; volatility: Percentiles }[] };
    p?: Percentiles;
  };
}

/** By percent ("50.0"); null if there are no documents. Fractions: 0.0068 is 0.68 %. */
interface Percentiles {
  values: Record<string, number | null>;
}

/** The first query of the article that this project grew from, unchanged. */
const BY_SYMBOL = {
  size: 0,
  aggs: {
    by_symbol: {
      terms: { field: 'symbol.keyword', size: 10 },
      aggs: { volatility: { percentiles: { field: 'price_24h_pcnt', percents: [25, 50, 75, 95, 99] } } },
    },
  },
};

/** Its second query, for any symbol. */
const percentilesOf = (symbol: string) => ({
  size: 0,
  query: { match: { symbol } },
  aggs: { p: { percentiles: { field: 'price_24h_pcnt', percents: [1, 5, 25, 50, 75, 95, 99] } } },
});

/**
 * Runs the article's queries, unchanged. If there is no BTCUSDT (the market replay's currencies are quoted in USD), the
 * second query is run again for another symbol.
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
      aggregations: (body.aggregations ?? {}) as ArticleAnswer['aggregations'],
    };
  };
  const bySymbol = await ask('Percentiles of the 24 h change by symbol', BY_SYMBOL);
  const answers = [
    bySymbol,
    await ask('Percentiles of the 24 h change of BTCUSDT', percentilesOf('BTCUSDT')),
  ];
  const symbols = bySymbol.aggregations.by_symbol?.buckets.map(({ key }) => key) ?? [];
  const symbol = symbols.find((name) => name.startsWith('BTC')) ?? symbols[0];
  if (answers[1]?.hits === 0 && symbol !== undefined) {
    answers.push(await ask(`The same for ${symbol}, because there is no BTCUSDT`, percentilesOf(symbol)));
  }
  return answers;
}
