import type { ChangePercentiles, ChangeStore, Scope } from '../../../core/insights/ports.ts';
import { TICKER_INDICES } from '../../../core/market/index-names.ts';
import { formatSeries } from '../../../core/market/series.ts';
import type { Window } from '../../../core/market/window.ts';
import { inMarket, inScope, timeRange } from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';
import { bySeries, type Metric, max } from './aggregations.ts';

const FIELD = 'price_24h_pcnt';

/** The 24 h changes in the ticks. */
export class OpenSearchChanges implements ChangeStore {
  readonly #search: OpenSearchSearch;

  constructor(search: OpenSearchSearch) {
    this.#search = search;
  }

  async changePercentiles(
    { symbol, ...scope }: Scope & { symbol?: string },
    { fromMs, toMs }: Window,
    percents: readonly number[],
  ): Promise<ChangePercentiles[]> {
    const filters = [
      ...(symbol === undefined ? [inMarket(scope)] : [inScope(scope), { term: { symbol } }]),
      timeRange('slot', fromMs, toMs),
      { exists: { field: FIELD } },
    ];
    const found = await bySeries<ChangeBucket>(this.#search, TICKER_INDICES, filters, {
      last: max('slot'),
      change: { percentiles: { field: FIELD, percents, keyed: false } },
    });
    return found.map(({ series, bucket }) => {
      const byPercent = new Map(bucket.change.values.map(({ key, value }) => [key, value]));
      return {
        series: formatSeries(series),
        samples: bucket.doc_count,
        lastMs: Number(bucket.last.value),
        percentiles: Object.fromEntries(
          percents.map((percent) => [percent, byPercent.get(percent) ?? Number.NaN]),
        ),
      };
    });
  }
}

interface ChangeBucket {
  last: Metric;
  change: { values: { key: number; value: number }[] };
}
