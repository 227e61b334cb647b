import type { CurrencySeries, Scope, SeriesCatalogue } from '../../../core/insights/ports.ts';
import type { CandleSeries } from '../../../core/market/candle.ts';
import { CANDLE_INDICES, TICKER_INDICES } from '../../../core/market/index-names.ts';
import { formatSeries } from '../../../core/market/series.ts';
import { DAY_MS } from '../../../core/market/time.ts';
import { unitsTraded } from '../../../core/market/turnover.ts';
import { numberIn } from '../hits.ts';
import {
  allOf,
  equalsIgnoringCase,
  type Filter,
  inMarket,
  inScope,
  newestFirst,
  timeRange,
  values,
} from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';
import { bySeries, type Metric, max, valuesOf } from './aggregations.ts';
import { candleTrades, tickTrades } from './trades.ts';

/** Series without a candle are new, so only the newest ticks are searched for them. */
const RECENT_MS = 2 * DAY_MS;

/** Which series the candle and ticker indices contain. */
export class OpenSearchCatalogue implements SeriesCatalogue {
  readonly #search: OpenSearchSearch;
  #recent: Promise<Filter> | undefined;

  constructor(search: OpenSearchSearch) {
    this.#search = search;
  }

  withSymbol(symbol: string, scope: Scope): Promise<CandleSeries[]> {
    return this.#seriesThat(inScope(scope), equalsIgnoringCase('symbol', symbol));
  }

  async ofCurrency(currency: string, scope: Scope): Promise<CurrencySeries[]> {
    const filters = [inMarket(scope), equalsIgnoringCase('base', currency)];
    const traded = unitsTraded([await tickTrades(this.#search, filters)]);
    if (traded.some(({ turnover }) => turnover !== undefined)) return traded;
    const newest = await this.#search.first(CANDLE_INDICES, {
      query: allOf(...filters),
      ...newestFirst('start'),
      ...values('start'),
    });
    const endMs = newest ? numberIn(newest, 'start') + 1 : 0;
    const day = { fromMs: endMs - DAY_MS, toMs: endMs };
    const recorded = unitsTraded(await candleTrades(this.#search, filters, day));
    return recorded.some(({ turnover }) => turnover !== undefined) ? recorded : this.#seriesThat(...filters);
  }

  async names(scope: Scope): Promise<string[]> {
    const recent = allOf(inMarket(scope), await this.#recently());
    const names = await Promise.all(
      ['symbol', 'base'].flatMap((field) => [
        valuesOf(this.#search, CANDLE_INDICES, inMarket(scope), field),
        valuesOf(this.#search, TICKER_INDICES, recent, field),
      ]),
    );
    return [...new Set(names.flat())];
  }

  async #seriesThat(...filters: Filter[]): Promise<CandleSeries[]> {
    const [candles, ticks] = await Promise.all([
      bySeries(this.#search, CANDLE_INDICES, filters),
      bySeries(this.#search, TICKER_INDICES, [...filters, await this.#recently()]),
    ]);
    const byName = new Map([...candles, ...ticks].map(({ series }) => [formatSeries(series), series]));
    return [...byName.values()];
  }

  #recently(): Promise<Filter> {
    const find = async () => {
      const { newest } = await this.#search.aggregate<{ newest: Metric }>(TICKER_INDICES, allOf(), {
        newest: max('slot'),
      });
      return timeRange('slot', (newest?.value ?? 0) - RECENT_MS);
    };
    this.#recent ??= find();
    return this.#recent;
  }
}
