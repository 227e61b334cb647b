import type { Json } from './chart.ts';
import { calculate, elementOf, intervalHours, nameAxis, timeText } from './parts.ts';

export const BUCKETS = 200;

/** As many markets as fit into one answer with so many intervals each: those of a hundred exchanges. */
export const byMarket = (aggs: Json): Json => ({
  multi_terms: { terms: [{ field: 'exchange' }, { field: 'category' }], size: 250 },
  aggs,
});

/** As many rows as are readable. */
export const MOST_MARKETS = 20;

/** Only the rows of the markets with the highest mean of a field: of many, those that need a look. */
export const worstMarkets = (field: string, most = MOST_MARKETS): Json[] => [
  { joinaggregate: [{ op: 'mean', field, as: 'badness' }], groupby: ['market'] },
  {
    window: [{ op: 'dense_rank', as: 'place' }],
    sort: [{ field: 'badness', order: 'descending' }, { field: 'market' }],
  },
  { filter: `datum.place <= ${most}` },
];

export const marketNames = calculate('market', "datum.key[0] + ' ' + datum.key[1]");

export const marketAxis: Json = {
  field: 'market',
  type: 'nominal',
  axis: nameAxis,
};

/**
 * A row for each interval up to now. The aggregation ends with the last document, so an outage that is going
 * on has no buckets; an interval without documents is a gap once they have been due for this many hours.
 */
export const intervalsUntilNow = (hours: number): Json[] => [
  calculate('interval_ms', `${intervalHours('datum.time.interval')} * 3600000`),
  calculate('buckets', 'datum.time.buckets'),
  calculate(
    'position',
    `sequence(max(length(datum.buckets), ceil((asOf - ${hours} * 3600000 - datum.buckets[0].key) / datum.interval_ms)))`,
  ),
  { flatten: ['position'] },
  calculate('is_counted', 'datum.position < length(datum.buckets)'),
  calculate('bucket', elementOf('datum.buckets', 'datum.position')),
  calculate(
    'start_ms',
    'datum.is_counted ? datum.bucket.key : peek(datum.buckets).key + (datum.position - length(datum.buckets) + 1) * datum.interval_ms',
  ),
  calculate('time', 'toDate(datum.start_ms)'),
  calculate('time_end', 'toDate(datum.start_ms + datum.interval_ms)'),
  timeText('time_text', 'datum.start_ms'),
];
