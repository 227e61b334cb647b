import { colour } from '../palette.ts';
import type { Json, PageChart, TableColumn } from './chart.ts';
import { calculate, percentText, tooltip } from './parts.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** On a phone. */
const NARROW = 'containerSize()[0] < 520';

/**
 * Blue for a rise, orange for a fall: the stronger, the larger; from `full` on they do not get stronger.
 * @param strongest lets text on it be read
 */
const heat = (full: number, strongest: number): Json => ({
  color: {
    condition: { test: 'datum.return >= 0', value: colour('rise') },
    value: colour('fall'),
  },
  opacity: {
    field: 'strength',
    type: 'quantitative',
    scale: { domain: [0, full], range: [0.08, strongest], clamp: true },
    legend: null,
  },
});

const periodsOf: Json[] = [
  calculate('time', 'toDate(datum.start)'),
  calculate('strength', 'abs(datum.return)'),
  calculate('day', 'utcdate(datum.time)'),
  calculate('month', `${JSON.stringify(MONTHS)}[utcmonth(datum.time)]`),
  calculate('year', "utcFormat(datum.time, '%Y')"),
  percentText('return_text', 'datum.return'),
  calculate('coverage_text', "format(datum.coverage, '.0%')"),
  { filter: 'isValid(datum.return)' },
];

/** @param title of the column with each period's start */
const columnsFor = (title: string): TableColumn[] => [
  { field: 'time', title, format: 'date' },
  { field: 'return', title: 'Return', format: 'percent' },
  { field: 'coverage', title: 'Coverage', format: 'share' },
];

export const monthReturns: PageChart = {
  id: 'month-returns',
  title: 'Return of each month',
  description:
    'The close of each month compared with the close of the month before, in per cent, UTC: rises and falls of 30 % or more have the full colour.',
  ofOneCurrency: true,
  height: 110,
  overTime: false,
  whenEmpty: 'No month of this window has a month with data before it. Pick a longer window.',
  table: {
    layers: ['months'],
    columns: columnsFor('Month from'),
  },
  spec: {
    data: { name: 'months' },
    transform: [...periodsOf, calculate('short_text', "format(datum.return * 100, '+.1f')")],
    encoding: {
      x: {
        field: 'month',
        type: 'ordinal',
        sort: MONTHS,
        scale: { domain: MONTHS },
        axis: {
          title: null,
          orient: 'top',
          labelAngle: 0,
          domain: false,
          ticks: false,
          labelExpr: `${NARROW} ? slice(datum.label, 0, 1) : datum.label`,
        },
      },
      y: { field: 'year', type: 'ordinal', axis: { title: null, domain: false, ticks: false } },
    },
    layer: [
      {
        name: 'months',
        mark: { type: 'rect', cornerRadius: 2 },
        encoding: {
          ...heat(0.3, 0.5),
          tooltip: tooltip(
            ['month', 'Month'],
            ['year', 'Year'],
            ['return_text', 'Return'],
            ['coverage_text', 'Coverage'],
          ),
        },
      },
      {
        name: 'month-figures',
        mark: {
          type: 'text',
          style: 'guide-label',
          text: { expr: `${NARROW} ? format(datum.return * 100, '+.0f') : datum.short_text` },
          fontSize: { expr: `${NARROW} ? 9 : 11.5` },
        },
      },
    ],
  },
};

export const dayReturns: PageChart = {
  id: 'day-returns',
  title: 'Return of each day',
  description:
    'The close of each UTC day compared with the close of the day before, in per cent: days from left to right, months from top to bottom. Rises and falls of 10 % or more have the full colour; empty days have no data.',
  ofOneCurrency: true,
  height: 260,
  overTime: false,
  whenEmpty: 'No day of this window has a day with data before it. Pick a longer window.',
  table: {
    layers: ['days'],
    columns: columnsFor('Day'),
  },
  spec: {
    data: { name: 'days' },
    transform: [
      ...periodsOf,
      calculate('of_month', "utcFormat(datum.time, '%Y-%m')"),
      calculate('date_text', "utcFormat(datum.time, '%Y-%m-%d')"),
    ],
    layer: [
      {
        name: 'days',
        mark: { type: 'rect', cornerRadius: 1 },
        encoding: {
          x: {
            field: 'day',
            type: 'ordinal',
            scale: { domain: Array.from({ length: 31 }, (_, day) => day + 1), padding: 0.06 },
            axis: {
              title: null,
              orient: 'top',
              labelAngle: 0,
              domain: false,
              ticks: false,
              labelOverlap: true,
            },
          },
          y: {
            field: 'of_month',
            type: 'ordinal',
            scale: { padding: 0.06 },
            axis: { title: null, domain: false, ticks: false, labelOverlap: true },
          },
          ...heat(0.1, 0.85),
          tooltip: tooltip(['date_text', 'Day'], ['return_text', 'Return'], ['coverage_text', 'Coverage']),
        },
      },
    ],
  },
};
