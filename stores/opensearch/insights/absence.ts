import { type Absence, notListedOf } from '../../../core/completeness/absence.ts';
import { hoursDown } from '../../../core/completeness/failures.ts';
import { CANDLE_INDICES, TICKER_INDICES } from '../../../core/market/index-names.ts';
import type { Market, Series } from '../../../core/market/series.ts';
import { failedPollsOfMarket } from '../failed-polls.ts';
import { numberIn } from '../hits.ts';
import { listingsOfSeries } from '../listings.ts';
import { allOf, newestFirst, ofMarket, values } from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';

/** What is known about why a series has no data at times: a few small searches. */
export async function absenceOf(search: OpenSearchSearch, series: Series): Promise<Absence> {
  const [listings, ofMarket] = await Promise.all([
    listingsOfSeries(search, series),
    absenceOfMarket(search, series),
  ]);
  return { notListed: notListedOf(listings), ...ofMarket };
}

/** What all series of a market have in common. */
export async function absenceOfMarket(
  search: OpenSearchSearch,
  market: Market,
): Promise<Omit<Absence, 'notListed'>> {
  const [failed, polls] = await Promise.all([failedPollsOfMarket(search, market), pollsOf(search, market)]);
  return { exchangeDown: hoursDown(failed), polls };
}

/** Candles outlive the ticks that they were made of, and the newest ticks have none yet. */
async function pollsOf(search: OpenSearchSearch, market: Market): Promise<Absence['polls']> {
  const sampled = allOf(ofMarket(market), { range: { samples: { gte: 1 } } });
  const oldest = (time: 'slot' | 'start') => ({ sort: [{ [time]: 'asc' }], ...values(time) });
  const newest = (time: 'slot' | 'start') => ({ ...newestFirst(time), ...values(time) });
  const [firstCandle, lastCandle, firstTick, lastTick] = await Promise.all([
    search.first(CANDLE_INDICES, { query: sampled, ...oldest('start') }),
    search.first(CANDLE_INDICES, { query: sampled, ...newest('start') }),
    search.first(TICKER_INDICES, { query: ofMarket(market), ...oldest('slot') }),
    search.first(TICKER_INDICES, { query: ofMarket(market), ...newest('slot') }),
  ]);
  const times = [
    ...[firstCandle, lastCandle].flatMap((hit) => (hit ? [numberIn(hit, 'start')] : [])),
    ...[firstTick, lastTick].flatMap((hit) => (hit ? [numberIn(hit, 'slot')] : [])),
  ];
  return times.length === 0 ? undefined : { firstMs: Math.min(...times), lastMs: Math.max(...times) };
}
