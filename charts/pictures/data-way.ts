import { CANDLE_INDICES, TICKER_INDICES } from '../../core/market/index-names.ts';
import { colour, SERIES_COLOURS } from '../palette.ts';
import type { Chart, Json } from './chart.ts';
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
  namesLegend,
  overTime,
  themedText,
  timeAxis,
  timeText,
  tooltip,
} from './parts.ts';

/** Each has a colour. */
const MOST_LINES = SERIES_COLOURS.length;

const mean = (field: string) => ({ avg: { field } });

const delayAxes: Json = {
  x: timeAxis(),
  y: {
    field: 'seconds',
    type: 'quantitative',
    scale: { zero: true },
    axis: { title: null, tickCount: 4, labelExpr: "format(datum.value, ',.3~r') + ' s'" },
  },
  color: {
    field: 'market',
    type: 'nominal',
    scale: { range: SERIES_COLOURS },
    legend: { ...namesLegend, columns: 3, symbolType: 'stroke', symbolStrokeWidth: 2 },
  },
};

export const delay: Chart = {
  id: 'delay',
  title: 'Delay of the polls',
  description: `Seconds from the time that a poll is due to the time that its ticks were received, averaged over each interval, of each exchange and category, or of the ${MOST_LINES} slowest. What happens afterwards is in the metrics of the functions.`,
  ofOneCurrency: false,
  ignoresFilters: true,
  queries: {
    delays: {
      index: TICKER_INDICES,
      rows: 'aggregations.markets.buckets',
      aggs: {
        markets: byMarket({
          time: overTime('slot', { slot: mean('slot'), received: mean('received_at') }, BUCKETS),
        }),
      },
    },
  },
  height: 150,
  overTime: true,
  whenEmpty:
    'There are no ticks in this window. Is the pipeline running? "npm run doctor" shows what is wrong.',
  table: {
    layers: ['delays'],
    columns: [
      { field: 'time', title: 'From', format: 'time' },
      { field: 'market', title: 'Market', format: 'text' },
      { field: 'seconds', title: 'Seconds', format: 'number' },
    ],
  },
  spec: {
    data: { name: 'delays' },
    transform: [
      marketNames,
      flatten('time.buckets', 'bucket'),
      calculate('time', 'toDate(datum.bucket.key)'),
      calculate(
        'seconds',
        'datum.bucket.doc_count > 0 ? max(0, datum.bucket.received.value - datum.bucket.slot.value) / 1000 : null',
      ),
      ...worstMarkets('seconds', MOST_LINES),
      calculate('seconds_text', "isValid(datum.seconds) ? format(datum.seconds, ',.1f') + ' s' : '–'"),
      timeText('time_text', 'datum.bucket.key'),
    ],
    layer: [
      {
        name: 'delays',
        mark: { type: 'line', strokeWidth: 1.75, strokeJoin: 'round' },
        encoding: delayAxes,
      },
      {
        // Large invisible marks that show a tooltip.
        name: 'delay-points',
        mark: { type: 'point', filled: true, size: 90, opacity: 0 },
        encoding: {
          ...delayAxes,
          tooltip: tooltip(['time_text', 'From'], ['market', 'Market'], ['seconds_text', 'Mean delay']),
        },
      },
    ],
  },
};

/** In words, too: legend, table and tooltip name them, and a cross marks the last. */
const STATES = ['Complete', 'Some missing', 'Half or more missing', 'From history', 'Nothing'];

/** Candles are made up to two hours after an hour began. */
const DUE_AFTER_HOURS = 2;

export const completeness: Chart = {
  id: 'completeness',
  title: 'Completeness',
  description: `The polls that reached the candles ÷ the polls due, in each interval, of each exchange and category, or of the ${MOST_MARKETS} least complete: complete from 99 %. Backfilled history has no polls. A cross marks an interval without any candle, up to two hours ago. If the dashboard is filtered, only the picked series count.`,
  ofOneCurrency: false,
  queries: {
    ledger: {
      index: CANDLE_INDICES,
      rows: 'aggregations.markets.buckets',
      aggs: {
        markets: byMarket({
          time: overTime(
            'start',
            { samples: { sum: { field: 'samples' } }, due: { sum: { field: 'polls_due' } } },
            BUCKETS,
          ),
        }),
      },
    },
  },
  height: 110,
  rowHeight: 18,
  overTime: true,
  whenEmpty: 'There are no candles in this window. Candles are made when an hour closes.',
  table: {
    layers: ['ledger'],
    columns: [
      { field: 'time', title: 'From', format: 'time' },
      { field: 'market', title: 'Market', format: 'text' },
      { field: 'state', title: 'State', format: 'text' },
      { field: 'samples', title: 'Polls that arrived', format: 'count' },
      { field: 'due', title: 'Polls due', format: 'count' },
      { field: 'share', title: 'Share', format: 'share' },
    ],
  },
  spec: {
    data: { name: 'ledger' },
    transform: [
      marketNames,
      ...intervalsUntilNow(DUE_AFTER_HOURS),
      calculate('samples', 'datum.is_counted ? datum.bucket.samples.value : 0'),
      calculate('due', 'datum.is_counted ? datum.bucket.due.value : 0'),
      calculate('share', 'datum.due > 0 ? min(1, datum.samples / datum.due) : null'),
      calculate(
        'state',
        `!datum.is_counted || datum.bucket.doc_count === 0 ? '${STATES[4]}' : !isValid(datum.share) ? '${STATES[3]}' : datum.share >= 0.99 ? '${STATES[0]}' : datum.share > 0.5 ? '${STATES[1]}' : '${STATES[2]}'`,
      ),
      calculate('missing', `datum.state === '${STATES[4]}' ? 1 : isValid(datum.share) ? 1 - datum.share : 0`),
      ...worstMarkets('missing'),
      calculate('share_text', "isValid(datum.share) ? format(datum.share, '.1%') : '–'"),
    ],
    layer: [
      {
        name: 'ledger',
        mark: { type: 'rect', height: barHeight(0.9), clip: true, x2Offset: 0.3 },
        encoding: {
          x: timeAxis(),
          x2: { field: 'time_end' },
          y: marketAxis,
          color: {
            field: 'state',
            type: 'nominal',
            scale: {
              domain: STATES,
              range: (['third', 'sixth', 'fourth', 'muted', 'gap'] as const).map(colour),
            },
            legend: { title: null, orient: 'top', columns: 5, labelLimit: 220 },
          },
          tooltip: tooltip(
            ['time_text', 'From'],
            ['market', 'Market'],
            ['state', 'State'],
            ['samples', 'Polls that arrived'],
            ['due', 'Polls due'],
            ['share_text', 'Share'],
          ),
        },
      },
      {
        name: 'crosses',
        transform: [
          { filter: `datum.state === '${STATES[4]}'` },
          calculate('middle', 'toDate(datum.start_ms + 0.5 * datum.interval_ms)'),
        ],
        mark: { ...themedText, text: '×', fontSize: 12, clip: true, tooltip: false },
        encoding: { x: timeAxis('middle'), y: marketAxis },
      },
    ],
  },
};
