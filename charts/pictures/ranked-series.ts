import { SILENCE_MS } from '../../core/insights/ended.ts';
import { DEFAULT_MIN_COVERAGE } from '../../core/insights/ranking.ts';
import type { Json } from './chart.ts';
import { calculate, flatten, namesFrom, withoutArchive } from './parts.ts';

/** More than OpenSearch returns of all markets together. */
const MOST_SYMBOLS = 65_000;
/** Of each market. More than a chart draws, because those that ended are left out of the answer. */
const MOST_RETURNED = 50;

interface MarketRanking {
  /** The time field of the index. */
  time: 'start' | 'slot';
  /** What is known about a series. */
  aggs: Json;
  /** By what its market's series are sorted, largest first: names of `aggs` that are scripts. */
  by: readonly string[];
  /** Only these documents are ranked. @default all */
  only?: Json;
  /** What is known about a market. */
  ofMarket?: Json;
}

/**
 * The first series of every market (exchange and category). OpenSearch computes what they are sorted by after it has added
 * up all shards, so they are the right ones however many series there are. Composite buckets would come by name, and
 * terms sorted by a metric would be those of single shards.
 */
export function firstOfEveryMarket({ time, aggs, by, only, ofMarket = {} }: MarketRanking): Json {
  const first = { bucket_sort: { sort: by.map((name) => ({ [name]: 'desc' })), size: MOST_RETURNED } };
  const last = { max: { field: time } };
  const symbols = { terms: { field: 'symbol', size: MOST_SYMBOLS }, aggs: { ...aggs, last, first } };
  const ranked = { filter: only ?? { match_all: {} }, aggs: { symbols, newest: last } };
  return {
    terms: { field: 'exchange', size: 1_000 },
    aggs: { categories: { terms: { field: 'category', size: 10 }, aggs: { ranked, ...ofMarket } } },
  };
}

/** A number that OpenSearch computes for each series, to sort by. */
export function script(source: string, paths: Readonly<Record<string, string>>, params: Json = {}): Json {
  return { bucket_script: { buckets_path: paths, script: { source, params } } };
}

/** The window of a script, as `params.from` and `params.to`. */
export const windowParams: Json = {
  from: { '%timefilter%': 'min' },
  to: { '%timefilter%': 'max' },
  least: DEFAULT_MIN_COVERAGE,
};

/** A row for each series of {@link firstOfEveryMarket}, in `of`, without those that ended. */
export const everySeries: Json[] = [
  flatten('categories.buckets', 'market'),
  flatten('market.ranked.symbols.buckets', 'of'),
  ...namesFrom('datum.key', 'datum.market.key', 'datum.of.key'),
  ...withoutArchive('datum.exchange'),
  { filter: `datum.of.last.value >= datum.market.ranked.newest.value - ${SILENCE_MS}` },
];

/**
 * The rows with enough data, ranked by a field; if none has enough, all. A coin listed yesterday would otherwise lead the
 * ranking of a year.
 */
export function ranked(field: string, most: number): Json[] {
  return [
    { joinaggregate: [{ op: 'max', field: 'coverage', as: 'best_coverage' }] },
    {
      filter: `datum.coverage >= ${DEFAULT_MIN_COVERAGE} || datum.best_coverage < ${DEFAULT_MIN_COVERAGE}`,
    },
    {
      window: [{ op: 'row_number', as: 'rank' }],
      sort: [{ field, order: 'descending' }, { field: 'series' }],
    },
    { filter: `datum.rank <= ${most}` },
  ];
}

/** The window's hours, as an expression. */
export const WINDOW_HOURS = 'ceil((windowEnd - windowStart) / 3600000)';

export const coverage = (expression: string): Json => calculate('coverage', `min(1, ${expression})`);
