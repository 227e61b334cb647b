import { CANDLE_INDICES, TICKER_INDICES } from '../core/market/index-names.ts';
import { formatSeries, type Series } from '../core/market/series.ts';
import { DAY_MS, MINUTE_MS } from '../core/market/time.ts';
import { tradeOfTick, usdTurnovers } from '../core/market/turnover.ts';
import type { Json } from './pictures/chart.ts';
import { eitherOf, isArchived, searchOf } from './questions.ts';
import type { ReportStore, SeriesChoice } from './report-store.ts';

type Tick = Parameters<typeof tradeOfTick>[0] & Series;

/** Every series with a tick or a candle: by turnover in dollars, then those without one, and the archive last. */
export async function seriesChoices(store: ReportStore, asOfMs: number): Promise<SeriesChoice[]> {
  const [recorded, ticks] = await Promise.all([recordedSeries(store, asOfMs), newestTicks(store, asOfMs)]);
  const choices = new Map<string, SeriesChoice>(recorded.map((series) => [series, { series }]));
  for (const tick of ticks) {
    const series = formatSeries(tick);
    choices.set(series, { series, ...(tick.base === undefined ? {} : { base: tick.base }) });
  }
  const turnovers = usdTurnovers([ticks.map(tradeOfTick)]);
  return [...choices.values()].sort(
    (a, b) =>
      Number(isArchived(a.series)) - Number(isArchived(b.series)) ||
      (turnovers.get(b.series) ?? -1) - (turnovers.get(a.series) ?? -1) ||
      (a.series < b.series ? -1 : 1),
  );
}

/** What can be picked; possibly from a moment ago, if the store remembers it. */
export async function pickable(store: ReportStore, asOfMs: number): Promise<readonly SeriesChoice[]> {
  return (store.choices ?? ((atMs) => seriesChoices(store, atMs)))(asOfMs);
}

/** Remembers what can be picked for a minute: thousands of series are read for a list that hardly changes. */
export function rememberedChoices(
  read: (asOfMs: number) => Promise<SeriesChoice[]>,
): (asOfMs: number) => Promise<SeriesChoice[]> {
  let remembered: { asOfMs: number; choices: Promise<SeriesChoice[]> } | undefined;
  return (asOfMs) => {
    // An empty list may be that of a pipeline whose first poll is about to come.
    if (!remembered || Math.abs(asOfMs - remembered.asOfMs) > MINUTE_MS) {
      const reading = { asOfMs, choices: read(asOfMs) };
      const forget = () => {
        if (remembered === reading) remembered = undefined;
      };
      reading.choices.then((choices) => choices.length === 0 && forget(), forget);
      remembered = reading;
    }
    return remembered.choices;
  };
}

/** OpenSearch's limit. */
const PAGE = 10_000;

/** How many are offered at a time. */
const MOST_OFFERED = 50;

/** The choices that have every word of a search in their names, and how many there are. */
export function choicesFor(
  choices: readonly SeriesChoice[],
  search: string,
  picked: string | null | undefined,
): { choices: SeriesChoice[]; total: number; isPickedKnown: boolean } {
  const words = search.toLowerCase().split(/[\s:·]+/);
  const found = choices.filter(({ series }) => words.every((word) => series.toLowerCase().includes(word)));
  return {
    choices: found.slice(0, MOST_OFFERED),
    total: found.length,
    isPickedKnown: choices.some(({ series }) => series === picked),
  };
}

interface Buckets<B = object> {
  buckets: ({ key: string } & B)[];
}

/** All series with a candle; their buckets come in pages. */
async function recordedSeries(store: ReportStore, asOfMs: number, after?: Json): Promise<string[]> {
  const sources = ['exchange', 'category', 'symbol'].map((field) => ({ [field]: { terms: { field } } }));
  const all = { composite: { size: PAGE, sources, ...(after ? { after } : {}) } };
  const everything = { fromMs: 0, toMs: asOfMs + 1 };
  const { index, body } = searchOf({ index: CANDLE_INDICES, aggs: { all } }, everything);
  const found = (await store.search(index, body)).aggregations?.all as
    | { buckets: { key: Series }[]; after_key?: Json }
    | undefined;
  const names = (found?.buckets ?? []).map(({ key }) => formatSeries(key));
  return names.length < PAGE ? names : [...names, ...(await recordedSeries(store, asOfMs, found?.after_key))];
}

/** Those of each market's newest slot of the last 24 hours: one of each series. */
async function newestTicks(store: ReportStore, asOfMs: number): Promise<Tick[]> {
  const day = { fromMs: asOfMs - DAY_MS, toMs: asOfMs + 1 };
  const newest = { max: { field: 'slot' } };
  const categories = { terms: { field: 'category', size: 10 }, aggs: { newest } };
  const byExchange = { terms: { field: 'exchange', size: 1_000 }, aggs: { categories } };
  const markets = searchOf({ index: TICKER_INDICES, aggs: { exchanges: byExchange } }, day);
  const { aggregations } = await store.search(markets.index, markets.body);
  const exchanges = aggregations?.exchanges as
    | Buckets<{ categories: Buckets<{ newest: { value: number } }> }>
    | undefined;
  const slots = (exchanges?.buckets ?? []).flatMap(({ key: exchange, categories }) =>
    categories.buckets.map(({ key: category, newest: { value } }) => ({
      bool: {
        filter: [
          { term: { exchange } },
          { term: { category } },
          { range: { slot: { gte: value, lte: value, format: 'epoch_millis' } } },
        ],
      },
    })),
  );
  if (slots.length === 0) return [];
  const { index, body } = searchOf({ index: TICKER_INDICES, aggs: {} }, day, undefined, [eitherOf(slots)]);
  return everyHit(store, index, {
    ...body,
    sort: ['exchange', 'category', 'symbol'],
    // Columns are read many times as fast as documents that are made of them.
    _source: false,
    docvalue_fields: [
      'exchange',
      'category',
      'symbol',
      'base',
      'quote',
      'last_price',
      'turnover_24h',
      'volume_24h',
    ],
  });
}

/** The documents of all pages. @param body has a sort that gives every document a place of its own */
async function everyHit(store: ReportStore, index: string, body: Json): Promise<Tick[]> {
  const { hits } = (await store.search(index, { ...body, size: PAGE })).hits;
  const ticks = hits.map(({ fields = {} }) => {
    const values = Object.entries(fields).map(([field, [value]]) => [field, value]);
    return Object.fromEntries(values) as Tick;
  });
  if (hits.length < PAGE) return ticks;
  return [...ticks, ...(await everyHit(store, index, { ...body, search_after: hits.at(-1)?.sort }))];
}
