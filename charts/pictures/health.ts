import { TICKER_INDICES } from '../../core/market/index-names.ts';
import { colour, SERIES_COLOURS } from '../palette.ts';
import type { Chart, Json, Picture } from './chart.ts';
import { completeness, delay } from './data-way.ts';
import {
  BUCKETS,
  byMarket,
  intervalsUntilNow,
  MOST_MARKETS,
  marketAxis,
  marketNames,
  worstMarkets,
} from './health-parts.ts';
import {
  barHeight,
  calculate,
  flatten,
  intervalHours,
  namesLegend,
  overTime,
  stateAndShare,
  themedText,
  timeAxis,
  timeText,
  tooltip,
  zeroLine,
} from './parts.ts';

const bucketTimes: Json[] = [
  calculate('interval_hours', intervalHours('datum.time.interval')),
  flatten('time.buckets', 'bucket'),
  calculate('time', 'toDate(datum.bucket.key)'),
  calculate('time_end', 'toDate(datum.bucket.key + datum.interval_hours * 3600000)'),
  timeText('time_text', 'datum.bucket.key'),
];

const throughput: Chart = {
  id: 'ticks-per-hour',
  title: 'Ticks per hour',
  description: 'How many ticks were indexed per hour, stacked by exchange.',
  ofOneCurrency: false,
  ignoresFilters: true,
  queries: {
    exchanges: {
      index: TICKER_INDICES,
      rows: 'aggregations.exchanges.buckets',
      aggs: {
        exchanges: { terms: { field: 'exchange', size: 20 }, aggs: { time: overTime('slot', {}, BUCKETS) } },
      },
    },
  },
  height: 180,
  overTime: true,
  whenEmpty:
    'There are no ticks in this window. Is the pipeline running? "npm run doctor" shows what is wrong.',
  table: {
    layers: ['ticks'],
    columns: [
      { field: 'time', title: 'From', format: 'time' },
      { field: 'key', title: 'Exchange', format: 'text' },
      { field: 'ticks_per_hour', title: 'Ticks per hour', format: 'number' },
    ],
  },
  spec: {
    data: { name: 'exchanges' },
    transform: [
      ...bucketTimes,
      calculate('ticks_per_hour', 'datum.bucket.doc_count / datum.interval_hours'),
      calculate('ticks_text', "format(datum.ticks_per_hour, ',.3~r')"),
      {
        stack: 'ticks_per_hour',
        groupby: ['time'],
        sort: [{ field: 'key' }],
        as: ['stack_from', 'stack_to'],
      },
    ],
    layer: [
      {
        name: 'ticks',
        // Slightly overlapping, so that narrow bars do not fade.
        mark: { type: 'rect', x2Offset: 0.3, clip: true },
        encoding: {
          x: timeAxis(),
          x2: { field: 'time_end' },
          y: {
            field: 'stack_to',
            type: 'quantitative',
            scale: { zero: true },
            axis: { title: null, format: ',.3~s', tickCount: 4 },
          },
          y2: { field: 'stack_from' },
          color: {
            field: 'key',
            type: 'nominal',
            scale: { range: SERIES_COLOURS },
            legend: { ...namesLegend, columns: 6 },
          },
          tooltip: tooltip(['time_text', 'From'], ['key', 'Exchange'], ['ticks_text', 'Ticks per hour']),
        },
      },
      zeroLine,
    ],
  },
};

const STAGES = ['until it was fetched', 'since then'];

const freshness: Chart = {
  id: 'freshness',
  title: 'Freshness',
  description: `Minutes since the newest slot that can be searched, of each exchange and category, or of the ${MOST_MARKETS} oldest: until its ticks were fetched, and since then, while they were stored, indexed and waited for the next poll.`,
  ofOneCurrency: false,
  ignoresFilters: true,
  queries: {
    newest: {
      index: TICKER_INDICES,
      rows: 'aggregations.markets.buckets',
      aggs: {
        markets: byMarket({ newest: { max: { field: 'slot' } }, fetched: { max: { field: 'received_at' } } }),
      },
    },
  },
  height: 90,
  rowHeight: 18,
  overTime: false,
  whenEmpty:
    'There are no ticks in this window. Is the pipeline running? "npm run doctor" shows what is wrong.',
  table: {
    layers: ['age-text'],
    columns: [
      { field: 'market', title: 'Market', format: 'text' },
      { field: 'newest_time', title: 'Newest slot', format: 'time' },
      { field: 'minutes', title: 'Minutes ago', format: 'number' },
      { field: 'seconds', title: 'Fetched after, seconds', format: 'number' },
    ],
  },
  spec: {
    data: { name: 'newest' },
    transform: [
      marketNames,
      calculate('newest_time', 'datum.newest.value'),
      calculate('minutes', 'max(0, (asOf - datum.newest.value) / 60000)'),
      ...worstMarkets('minutes'),
      calculate('seconds', 'max(0, datum.fetched.value - datum.newest.value) / 1000'),
      calculate(STAGES[0] as string, 'min(datum.minutes, datum.seconds / 60)'),
      calculate(STAGES[1] as string, `datum.minutes - datum['${STAGES[0]}']`),
      calculate(
        'age_text',
        "datum.minutes < 120 ? format(datum.minutes, ',.2~f') + ' min' : datum.minutes < 2880 ? format(datum.minutes / 60, ',.1f') + ' h' : format(datum.minutes / 1440, ',.0f') + ' days'",
      ),
      calculate('fetched_text', "format(datum.seconds, ',.1f') + ' s after the slot'"),
      timeText('newest_text', 'datum.newest.value', '%Y-%m-%d %H:%M:%S'),
    ],
    layer: [
      {
        name: 'age',
        transform: [
          { fold: STAGES, as: ['stage', 'stage_minutes'] },
          { stack: 'stage_minutes', groupby: ['market'], as: ['stage_from', 'stage_to'] },
        ],
        mark: { type: 'bar', height: barHeight(0.6), cornerRadius: 1 },
        encoding: {
          y: marketAxis,
          x: {
            field: 'stage_from',
            type: 'quantitative',
            axis: { title: 'minutes', tickCount: 5, format: ',.3~r' },
          },
          x2: { field: 'stage_to' },
          color: {
            field: 'stage',
            type: 'nominal',
            scale: { domain: STAGES, range: [colour('second'), colour('third')] },
            legend: { title: null, orient: 'top', direction: 'horizontal', labelLimit: 220 },
          },
          tooltip: tooltip(
            ['market', 'Market'],
            ['newest_text', 'Newest slot'],
            ['fetched_text', 'Fetched'],
            ['age_text', 'Age'],
          ),
        },
      },
      {
        // The axis spans at least ten minutes; otherwise every delay would look long.
        name: 'ten-minutes',
        data: { values: [{ minutes: 10 }] },
        mark: { type: 'rule', opacity: 0 },
        encoding: { x: { field: 'minutes', type: 'quantitative' } },
      },
      {
        name: 'age-text',
        mark: { ...themedText, align: 'left', dx: 5 },
        encoding: {
          y: marketAxis,
          x: { field: 'minutes', type: 'quantitative' },
          text: { field: 'age_text' },
        },
      },
    ],
  },
};

const gaps: Chart = {
  id: 'gaps',
  title: 'Polls and gaps',
  description: `For each exchange and category, or the ${MOST_MARKETS} with the most gaps, the number of polls in each interval, compared with the fullest interval in the window: the darker, the fuller. Intervals without polls are orange, up to now.`,
  ofOneCurrency: false,
  ignoresFilters: true,
  queries: {
    polls: {
      index: TICKER_INDICES,
      rows: 'aggregations.markets.buckets',
      aggs: {
        markets: byMarket({
          time: overTime('slot', { polls: { cardinality: { field: 'slot' } } }, BUCKETS),
        }),
      },
    },
  },
  height: 90,
  rowHeight: 18,
  overTime: true,
  whenEmpty:
    'There are no polls in this window. Is the pipeline running? "npm run doctor" shows what is wrong.',
  table: {
    layers: ['polls'],
    columns: [
      { field: 'time', title: 'From', format: 'time' },
      { field: 'market', title: 'Market', format: 'text' },
      { field: 'polls', title: 'Polls', format: 'count' },
      { field: 'share', title: 'Share of the fullest', format: 'share' },
    ],
  },
  spec: {
    data: { name: 'polls' },
    transform: [
      marketNames,
      ...intervalsUntilNow(1),
      calculate('polls', 'datum.is_counted ? datum.bucket.polls.value : 0'),
      { joinaggregate: [{ op: 'max', field: 'polls', as: 'most_polls' }], groupby: ['market'] },
      // At the window's edges only part of an interval can have polls, which is not a gap.
      calculate(
        'part',
        '(min(datum.start_ms + datum.interval_ms, windowEnd, asOf) - max(datum.start_ms, windowStart)) / datum.interval_ms',
      ),
      calculate('share', 'min(1, datum.polls / max(1, floor(datum.most_polls * datum.part)))'),
      calculate('missing', '1 - datum.share'),
      ...worstMarkets('missing'),
      calculate('state', "datum.polls > 0 ? 'Polls' : 'Gap'"),
      calculate('share_text', "format(datum.share, '.0%')"),
    ],
    layer: [
      {
        name: 'polls',
        mark: { type: 'rect', height: barHeight(0.9, 28), clip: true },
        encoding: {
          x: timeAxis(),
          x2: { field: 'time_end' },
          y: marketAxis,
          ...stateAndShare(['Polls', 'Gap'], 'polls', 'share'),
          tooltip: tooltip(
            ['time_text', 'From'],
            ['market', 'Market'],
            ['polls', 'Polls'],
            ['share_text', 'Share of the fullest'],
          ),
        },
      },
    ],
  },
};

export const pipelineHealth: Picture = {
  id: 'pipeline-health',
  title: 'Pipeline health',
  about:
    'What arrived, how fresh it is, and where polls are missing, for all exchanges, whichever currency is picked.',
  usualWindow: '7d',
  charts: [throughput, freshness, delay, gaps, completeness],
};
