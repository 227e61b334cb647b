import type { Client } from '@opensearch-project/opensearch';
import { type Absence, notListedOf } from '../../core/completeness/absence.ts';
import type { PathlessCandle } from '../../core/market/candle.ts';
import { CANDLE_INDICES, SUMMARY_STATE_INDEX } from '../../core/market/index-names.ts';
import { formatMarket, type Series } from '../../core/market/series.ts';
import type { Window } from '../../core/market/window.ts';
import type { CompletenessIndex, RecordedHours, SeriesChoice } from '../../core/operate/ports.ts';
import { absenceOfMarket } from './insights/absence.ts';
import { bySeries, type Counted, type Metric, max, min, sum } from './insights/aggregations.ts';
import { candleColumns } from './insights/candle-columns.ts';
import { listingsOfSeries } from './listings.ts';
import { allOf, candlesIn, type Filter, SERIES_FIELDS, timeRange } from './queries.ts';
import { OpenSearchSearch } from './search.ts';
import { readSummarisedUntil } from './summaries.ts';

/** Few enough for one query to name. */
const PAGE_SERIES = 500;
/** How long failed requests are retried. */
const PATIENCE_MS = 20_000;

/** Made of ticks of fewer than half of the polls due, or of an unknown share. */
const THIN = `
  doc['source'].size() > 0 && doc['source'].value == 'ticks' && (
    !doc.containsKey('polls_due') || doc['polls_due'].size() == 0 ||
    doc['samples'].value * 2 < doc['polls_due'].value)`;

interface RecordedBucket extends Counted {
  hours: Metric;
  first: Metric;
  last: Metric;
  thin: Counted;
}

/** What candles and notes about polls say about the hours of each series. */
export class OpenSearchCompleteness implements CompletenessIndex {
  readonly #client: Client;
  /** Shared by all series of a market, which come one after the other. */
  #market: { name: string; absence: ReturnType<typeof absenceOfMarket> } | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  async countSeries(which: SeriesChoice): Promise<number> {
    const { hits } = await this.#search().search(SUMMARY_STATE_INDEX, {
      query: ledgersOf(which),
      size: 0,
      track_total_hits: true,
    });
    return (hits as unknown as { total: { value: number } }).total.value;
  }

  async *series(which: SeriesChoice, after?: Series): AsyncGenerator<Series[]> {
    // The notes may have changed since the last run.
    this.#market = undefined;
    let last = after && [after.exchange, after.category, after.symbol];
    for (;;) {
      const { hits } = await this.#search().search<Series>(SUMMARY_STATE_INDEX, {
        query: ledgersOf(which),
        sort: SERIES_FIELDS.map((field) => ({ [field]: { order: 'asc', unmapped_type: 'keyword' } })),
        size: PAGE_SERIES,
        _source: SERIES_FIELDS,
        ...(last ? { search_after: last } : {}),
      });
      const page = hits.hits.map(({ _source }) => _source);
      if (page.length > 0) yield page;
      if (page.length < PAGE_SERIES) return;
      last = hits.hits.at(-1)?.sort as string[];
    }
  }

  async recorded(series: readonly Series[], { fromMs, toMs }: Window): Promise<RecordedHours[]> {
    const markets = Map.groupBy(series, formatMarket);
    const should = [...markets.values()].map((ofMarket) =>
      allOf(
        { term: { exchange: ofMarket[0]?.exchange } },
        { term: { category: ofMarket[0]?.category } },
        { terms: { symbol: ofMarket.map(({ symbol }) => symbol) } },
      ),
    );
    const filters = [{ bool: { should } }, timeRange('start', fromMs, toMs)];
    const found = await bySeries<RecordedBucket>(this.#search(), CANDLE_INDICES, filters, {
      hours: sum('hours'),
      first: min('start'),
      last: max('start'),
      thin: { filter: { script: { script: THIN } } },
    });
    return found.map(({ series: name, bucket }) => ({
      series: name,
      hours: Number(bucket.hours.value),
      firstMs: Number(bucket.first.value),
      lastMs: Number(bucket.last.value),
      areWhole: bucket.thin.doc_count === 0 && bucket.hours.value === bucket.doc_count,
    }));
  }

  candles(series: Series, window: Window): Promise<PathlessCandle[]> {
    return candleColumns(this.#search(), series, candlesIn(series, window));
  }

  async absence(series: Series): Promise<Absence> {
    const name = formatMarket(series);
    if (this.#market?.name !== name) {
      this.#market = { name, absence: absenceOfMarket(this.#search(), series) };
    }
    const [listings, ofMarket] = await Promise.all([
      listingsOfSeries(this.#search(), series),
      this.#market.absence,
    ]);
    return { notListed: notListedOf(listings), ...ofMarket };
  }

  summarisedUntil(): Promise<number | undefined> {
    return readSummarisedUntil(this.#client, Date.now() + PATIENCE_MS);
  }

  #search(): OpenSearchSearch {
    return new OpenSearchSearch(this.#client, Date.now() + PATIENCE_MS);
  }
}

/** The notes that summarising keeps of each series: far fewer documents than it has candles. */
function ledgersOf({ exchange, category, symbol }: SeriesChoice): Filter {
  const named = Object.entries({ exchange, category, symbol }).filter(([, value]) => value !== undefined);
  return allOf(
    { term: { kind: 'ledger' } },
    ...named.map(([field, value]) => ({ term: { [field]: value } })),
  );
}
