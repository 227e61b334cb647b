import { colour } from '../palette.ts';
import type { Json, PageChart, PagePicture } from './chart.ts';
import { calculate, tooltip } from './parts.ts';

const axis = (orient: 'top' | 'left'): Json => ({
  title: null,
  orient,
  labelAngle: 0,
  labelLimit: 90,
  labelOverlap: true,
  domain: false,
  ticks: false,
});

const matrix: PageChart = {
  id: 'correlation-matrix',
  title: 'Correlation of daily returns',
  description:
    'Pearson’s coefficient of the daily log returns of each pair, from -1 to 1, over the days that all of them have: the picked currency, and the others with the highest turnover.',
  ofOneCurrency: true,
  height: 280,
  overTime: false,
  whenEmpty:
    'No other currency has daily returns for at least 80 % of the days that this one has. Pick a longer window.',
  table: {
    layers: ['pairs'],
    columns: [
      { field: 'row', title: 'Series', format: 'text' },
      { field: 'column', title: 'and', format: 'text' },
      { field: 'pearson', title: 'Correlation', format: 'number' },
      { field: 'spearman', title: 'of the ranks', format: 'number' },
      { field: 'beta', title: 'Beta to the picked one', format: 'number' },
      { field: 'days', title: 'Days', format: 'count' },
    ],
  },
  spec: {
    data: { name: 'pairs' },
    transform: [
      calculate('strength', 'abs(datum.pearson)'),
      calculate('text', "isValid(datum.pearson) ? format(datum.pearson, '.2f') : '–'"),
      calculate('spearman_text', "isValid(datum.spearman) ? format(datum.spearman, '.2f') : '–'"),
      calculate('pair', "datum.row + ' and ' + datum.column"),
    ],
    encoding: {
      x: { field: 'column', type: 'ordinal', sort: { field: 'columnOrder', op: 'min' }, axis: axis('top') },
      y: { field: 'row', type: 'ordinal', sort: { field: 'rowOrder', op: 'min' }, axis: axis('left') },
    },
    layer: [
      {
        name: 'pairs',
        mark: { type: 'rect', cornerRadius: 2 },
        encoding: {
          color: {
            condition: { test: 'datum.pearson >= 0', value: colour('rise') },
            value: colour('fall'),
          },
          opacity: {
            field: 'strength',
            type: 'quantitative',
            scale: { domain: [0, 1], range: [0.04, 0.5] },
            legend: null,
          },
          tooltip: tooltip(
            ['pair', 'Pair'],
            ['text', 'Correlation'],
            ['spearman_text', 'Of the ranks'],
            ['days', 'Days'],
          ),
        },
      },
      {
        name: 'pair-figures',
        mark: { type: 'text', style: 'guide-label' },
        encoding: { text: { field: 'text' } },
      },
    ],
  },
};

export const correlation: PagePicture = {
  id: 'correlation',
  title: 'How it moves with others',
  about:
    'Whether this currency rises and falls on the same days as the others with the highest turnover: 1 means always, 0 no relation, -1 always the opposite way.',
  usualWindow: '90d',
  restMs: 60_000,
  charts: [matrix],
};
