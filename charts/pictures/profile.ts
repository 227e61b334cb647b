import { DEFAULT_THRESHOLDS } from '../../core/insights/question.ts';
import { colour } from '../palette.ts';
import type { Json, PageChart, PagePicture } from './chart.ts';
import { thresholdChoice } from './moves.ts';
import {
  calculate,
  percentAxis,
  percentText,
  priceText,
  timeAxis,
  timeText,
  tooltip,
  zeroLine,
} from './parts.ts';
import { priceColumns } from './price.ts';
import { dayReturns, monthReturns } from './return-calendar.ts';

const threshold = thresholdChoice(DEFAULT_THRESHOLDS);

const plainPriceAxis: Json = { title: null, tickCount: 5, format: ',.6~r' };

/** A band over the whole window, between two quantiles. */
const band = (low: string, high: string, opacity: number): Json => ({
  name: `${low}-${high}`,
  data: { name: 'levels' },
  mark: { type: 'rect', opacity },
  encoding: {
    y: { field: low, type: 'quantitative', axis: plainPriceAxis, scale: { zero: false } },
    y2: { field: high },
    color: { value: colour('muted') },
  },
});

/** A price over the whole window, with its name at one of the ends. */
const level = (field: string, name: string, ink: Json, align: 'left' | 'right'): Json => ({
  data: { name: 'levels' },
  transform: [
    { filter: `isValid(datum.${field})` },
    calculate('label', `'${name} ' + format(datum.${field}, ',.6~r')`),
    calculate('at', align === 'left' ? 'toDate(windowStart)' : 'toDate(windowEnd)'),
  ],
  layer: [
    {
      name: `${field}-line`,
      mark: { type: 'rule', strokeWidth: 1.5, strokeDash: [5, 4] },
      encoding: { y: { field, type: 'quantitative' }, color: ink },
    },
    {
      name: `${field}-name`,
      mark: {
        type: 'text',
        style: 'guide-label',
        align,
        baseline: 'bottom',
        dy: -3,
        dx: align === 'left' ? 4 : -4,
      },
      encoding: {
        x: timeAxis('at'),
        y: { field, type: 'quantitative' },
        text: { field: 'label' },
      },
    },
  ],
});

const paid: PageChart = {
  id: 'prices-paid',
  title: 'Price, and what was paid',
  description:
    'The mean price of each interval, in the quote currency. The grey bands hold 90 % and 50 % of the hours. Dashed: the median of the hours, and the volume-weighted price (VWAP), where candles have volumes.',
  ofOneCurrency: true,
  height: 260,
  overTime: true,
  whenEmpty: 'There are no prices for this currency in this window. Pick a longer window.',
  table: {
    layers: ['paid-points'],
    columns: priceColumns,
  },
  spec: {
    layer: [
      band('p5', 'p95', 0.18),
      band('p25', 'p75', 0.28),
      level('p50', 'median', { value: colour('third') }, 'right'),
      level('vwap', 'VWAP', { value: colour('second') }, 'left'),
      {
        data: { name: 'prices' },
        transform: [
          timeText('time_text', 'datum.time'),
          priceText('mean_text', 'datum.mean'),
          priceText('low_text', 'datum.low'),
          priceText('high_text', 'datum.high'),
        ],
        layer: [
          {
            name: 'paid-line',
            mark: { type: 'line', strokeWidth: 1.75, strokeJoin: 'round' },
            encoding: {
              x: timeAxis(),
              y: { field: 'mean', type: 'quantitative', axis: plainPriceAxis, scale: { zero: false } },
              color: { value: colour('main') },
            },
          },
          {
            name: 'paid-points',
            mark: { type: 'point', filled: true, size: 90, opacity: 0 },
            encoding: {
              x: timeAxis(),
              y: { field: 'mean', type: 'quantitative', axis: plainPriceAxis },
              tooltip: tooltip(
                ['time_text', 'From'],
                ['mean_text', 'Mean'],
                ['low_text', 'Lowest'],
                ['high_text', 'Highest'],
              ),
            },
          },
        ],
      },
    ],
  },
};

const underWater: PageChart = {
  id: 'under-water',
  title: 'Drawdown',
  description:
    'How far the price was below its highest price so far in the window: the deepest point of each interval, in per cent. The dots are the ends of the five worst falls.',
  ofOneCurrency: true,
  height: 170,
  overTime: true,
  whenEmpty: 'There are no prices for this currency in this window. Pick a longer window.',
  table: {
    layers: ['troughs'],
    columns: [
      { field: 'time', title: 'Lowest on', format: 'time' },
      { field: 'fraction', title: 'Fall', format: 'percent' },
      { field: 'troughPrice', title: 'to', format: 'price' },
      { field: 'peakPrice', title: 'from', format: 'price' },
      { field: 'peakTime', title: 'on', format: 'time' },
      { field: 'recoveredTime', title: 'Recovered', format: 'time' },
    ],
  },
  spec: {
    layer: [
      {
        name: 'under-water-area',
        data: { name: 'underWater' },
        mark: { type: 'area', opacity: 0.3, line: false, interpolate: 'step-after' },
        encoding: {
          x: timeAxis(),
          y: { field: 'fraction', type: 'quantitative', axis: percentAxis },
          color: { value: colour('fall') },
        },
      },
      {
        name: 'under-water-line',
        data: { name: 'underWater' },
        transform: [timeText('time_text', 'datum.time'), percentText('fraction_text', 'datum.fraction')],
        mark: { type: 'line', strokeWidth: 1.25, interpolate: 'step-after' },
        encoding: {
          x: timeAxis(),
          y: { field: 'fraction', type: 'quantitative', axis: percentAxis },
          color: { value: colour('fall') },
        },
      },
      {
        name: 'under-water-points',
        data: { name: 'underWater' },
        transform: [timeText('time_text', 'datum.time'), percentText('fraction_text', 'datum.fraction')],
        mark: { type: 'point', filled: true, size: 90, opacity: 0 },
        encoding: {
          x: timeAxis(),
          y: { field: 'fraction', type: 'quantitative' },
          tooltip: tooltip(['time_text', 'From'], ['fraction_text', 'Below the highest']),
        },
      },
      {
        name: 'troughs',
        data: { name: 'worst' },
        transform: [
          calculate('time', 'toDate(datum.troughTime)'),
          timeText('from_text', 'toDate(datum.peakTime)'),
          timeText('to_text', 'toDate(datum.troughTime)'),
          priceText('from_price_text', 'datum.peakPrice'),
          priceText('to_price_text', 'datum.troughPrice'),
          percentText('fraction_text', 'datum.fraction'),
          calculate(
            'recovered_text',
            "datum.recoveredTime === null ? 'not yet' : utcFormat(toDate(datum.recoveredTime), '%Y-%m-%d %H:%M') + ' UTC'",
          ),
        ],
        mark: { type: 'point', filled: true, size: 60, opacity: 1 },
        encoding: {
          x: timeAxis(),
          y: { field: 'fraction', type: 'quantitative' },
          color: { value: colour('fall') },
          tooltip: tooltip(
            ['fraction_text', 'Fall'],
            ['from_price_text', 'From'],
            ['from_text', 'on'],
            ['to_price_text', 'To'],
            ['to_text', 'on'],
            ['recovered_text', 'Recovered'],
          ),
        },
      },
    ],
  },
};

const waits: PageChart = {
  id: 'move-waits',
  title: 'How long between two moves',
  description:
    'Rises (up) and falls (down) of at least the picked size by the time since the one before in the same direction.',
  ofOneCurrency: true,
  height: 220,
  overTime: false,
  whenEmpty:
    'There are not two moves of this size in the same direction in this window. Pick a smaller size or a longer window.',
  table: {
    layers: ['waits'],
    columns: [
      { field: 'position', title: 'No.', format: 'count' },
      { field: 'bin', title: 'After', format: 'text' },
      { field: 'name', title: 'Direction', format: 'text' },
      { field: 'count', title: 'Moves', format: 'count' },
    ],
  },
  spec: {
    data: { name: 'waits' },
    transform: [
      { filter: 'abs(datum.threshold - threshold) < 0.000001' },
      calculate('name', "datum.direction === 'rise' ? 'Rises' : 'Falls'"),
      calculate('signed', "datum.direction === 'rise' ? datum.count : -datum.count"),
      calculate('position', 'datum.order + 1'),
    ],
    layer: [
      {
        name: 'waits',
        mark: { type: 'bar', cornerRadius: 1 },
        encoding: {
          x: {
            field: 'bin',
            type: 'ordinal',
            sort: { field: 'order', op: 'min' },
            axis: { title: null, labelAngle: 0, labelOverlap: true, labelLimit: 90 },
          },
          y: {
            field: 'signed',
            type: 'quantitative',
            stack: null,
            axis: { title: null, tickMinStep: 1, labelExpr: "format(abs(datum.value), ',d')" },
          },
          color: {
            field: 'name',
            type: 'nominal',
            scale: { domain: ['Rises', 'Falls'], range: [colour('rise'), colour('fall')] },
            legend: { title: null, orient: 'top', direction: 'horizontal' },
          },
          tooltip: tooltip(['bin', 'After'], ['name', 'Direction'], ['count', 'Moves']),
        },
      },
      zeroLine,
    ],
  },
};

/** A page for one currency: its facts in words, then these pictures. */
export const profile: PagePicture = {
  id: 'profile',
  title: 'The currency in words and pictures',
  about: 'What it cost, how it moved and how far it fell, as “insights profile” answers it.',
  usualWindow: '1y',
  restMs: 15_000,
  choices: [threshold],
  charts: [paid, underWater, monthReturns, dayReturns, waits],
};
