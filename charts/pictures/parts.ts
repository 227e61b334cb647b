import { ARCHIVE } from '../../core/insights/resolve.ts';
import { colour, SERIES_COLOURS } from '../palette.ts';
import type { Json } from './chart.ts';

const SERIES_FIELDS = ['exchange', 'category', 'symbol'];

/** One bucket per series, at most `size`: those with the most documents, unless ordered otherwise. */
export function bySeries(size: number, aggs: Json, options: Json = {}): Json {
  return {
    multi_terms: { terms: SERIES_FIELDS.map((field) => ({ field })), size, ...options },
    aggs,
  };
}

/** Buckets sized by the window: from hours for a week to weeks for two years. */
export function overTime(field: string, aggs: Json = {}, buckets = 400): Json {
  return { auto_date_histogram: { field, buckets, minimum_interval: 'hour' }, aggs };
}

/** One row per bucket of a nested aggregation. */
export function flatten(path: string, as: string): Json {
  return { flatten: [path], as: [as] };
}

export function calculate(as: string, expression: string): Json {
  return { calculate: expression, as };
}

/** `list[index]`, which Dashboards forbids unless the index is a constant. */
export const elementOf = (list: string, index: string): string => `peek(slice(${list}, 0, ${index} + 1))`;

/** `series` (the full name), its parts, and `label` (for people), where `key` is that of a {@link bySeries} bucket. */
export const seriesNamesOf = (key: string): Json[] => namesFrom(`${key}[0]`, `${key}[1]`, `${key}[2]`);

export const seriesNames: Json[] = seriesNamesOf('datum.key');

/** The same, from expressions of its parts. */
export function namesFrom(exchange: string, category: string, symbol: string): Json[] {
  return [
    calculate('exchange', exchange),
    calculate('category', category),
    calculate('symbol', symbol),
    calculate('series', "datum.exchange + ':' + datum.category + ':' + datum.symbol"),
    calculate('label', "datum.symbol + ' · ' + datum.exchange + ' ' + datum.category"),
  ];
}

/** A time as text, for a tooltip. */
export function timeText(as: string, expression: string, pattern = '%Y-%m-%d %H:%M'): Json {
  return calculate(as, `utcFormat(${expression}, '${pattern}') + ' UTC'`);
}

/** A price as text, with digits that suit its magnitude. */
export function priceText(as: string, expression: string): Json {
  return calculate(as, `isValid(${expression}) ? format(${expression}, ',.6~r') : '–'`);
}

/** A fraction as a percentage with its sign. */
export function percentText(as: string, expression: string): Json {
  return calculate(as, `isValid(${expression}) ? format(${expression}, '+,.2%') : '–'`);
}

export const tooltip = (...entries: [field: string, title: string][]): Json[] =>
  entries.map(([field, title]) => ({ field, title }));

const DAYS_SHOWN = "(domain('x')[1] - domain('x')[0]) / 86400000";

/** Time from left to right, in UTC. Short windows are labelled with hours, long ones with months. */
export const timeAxis = (field = 'time'): Json => ({
  field,
  type: 'temporal',
  scale: { type: 'utc' },
  axis: {
    title: null,
    grid: false,
    labelOverlap: true,
    labelSeparation: 8,
    labelFlush: false,
    labelExpr: `utchours(datum.value) > 0 || utcminutes(datum.value) > 0 ? utcFormat(datum.value, '%H:%M') : utcdate(datum.value) > 1 || ${DAYS_SHOWN} < 60 ? utcFormat(datum.value, '%b %-d') : utcFormat(datum.value, utcmonth(datum.value) > 0 ? '%b' : '%Y')`,
  },
});

export const percentAxis: Json = {
  title: null,
  tickCount: 5,
  labelExpr: "format(datum.value, datum.value === 0 ? '.0%' : '+.3~%')",
};

/** A legend of names. There may be none, and Vega would give an empty legend without a title an endless height. */
export const namesLegend: Json = {
  title: ' ',
  titleFontSize: 1,
  titlePadding: 0,
  orient: 'top',
  labelLimit: 260,
};

/**
 * One colour per currency, with a legend that names the market drawn. Colours follow the rank, so that a currency has the
 * same one in every panel.
 */
export const seriesColour: Json = {
  field: 'named',
  type: 'nominal',
  sort: { field: 'rank', op: 'min' },
  scale: { range: SERIES_COLOURS },
  legend: { ...namesLegend, columns: 2, symbolType: 'stroke', symbolOpacity: 1, symbolStrokeWidth: 2 },
};

/** A line at zero: no change. */
export const zeroLine: Json = {
  name: 'zero',
  data: { values: [{ zero: 0 }] },
  mark: { type: 'rule', strokeWidth: 1 },
  encoding: { y: { datum: 0, type: 'quantitative' }, color: { value: colour('muted') } },
};

/** Hours per bucket of an {@link overTime} aggregation, whose interval is text such as `1h`, `7d` or `1M`. */
export const intervalHours = (interval: string): string =>
  `(toNumber(replace(${interval}, /[a-zA-Z]+/, '')) * (test(/h/, ${interval}) ? 1 : test(/d/, ${interval}) ? 24 : test(/M/, ${interval}) ? 730.5 : 8766))`;

/**
 * The axis for one currency's price, or for the changes of several. A price below 1 looks like a change, so the label
 * depends on the parameter `compared`, which each rendering sets.
 */
export const priceAxis: Json = {
  title: null,
  tickCount: 5,
  labelExpr:
    "compared ? format(datum.value, datum.value === 0 ? '.0%' : '+.3~%') : format(datum.value, ',.6~r')",
};

/**
 * Makes several currencies comparable: `value` is the price of a single one, or else each one's change since its first
 * price.
 */
export const comparable: Json[] = [
  {
    window: [{ op: 'first_value', field: 'mean', as: 'first_mean' }],
    groupby: ['series'],
    sort: [{ field: 'time' }],
    frame: [null, null],
  },
  calculate(
    'value',
    'isValid(datum.mean) ? (compared ? datum.mean / datum.first_mean - 1 : datum.mean) : null',
  ),
  priceText('mean_text', 'datum.mean'),
  priceText('low_text', 'datum.low'),
  priceText('high_text', 'datum.high'),
];

/** Names of series; on narrow screens only the symbol. */
export const nameAxis: Json = {
  title: null,
  domain: false,
  ticks: false,
  labelLimit: 240,
  labelExpr: "containerSize()[0] < 520 ? split(datum.label, ' · ')[0] : datum.label",
  labelPadding: 8,
};

/** Series on an axis, sorted by rank. */
export const rankedNames: Json = {
  field: 'label',
  type: 'nominal',
  sort: { field: 'rank', op: 'min' },
  axis: nameAxis,
};

/** The thickness of a bar: a share of its row, but no more pixels than this, however few rows there are. */
export const barHeight = (share: number, most = 28): Json => ({
  expr: `min(${share} * bandwidth('y'), ${(share * most) / 0.7})`,
});

/**
 * Fills a bar by its field `state`, full or empty: the darker, the larger its share; empty ones stand out.
 * @param states what the legend calls full and empty
 * @param count a field that is 0 if the bar is empty
 * @param share a field from 0 to 1
 */
export const stateAndShare = (states: readonly [string, string], count: string, share: string): Json => ({
  color: {
    field: 'state',
    type: 'nominal',
    scale: { domain: states, range: [colour('third'), colour('gap')] },
    legend: { title: null, orient: 'top', direction: 'horizontal' },
  },
  opacity: {
    condition: {
      test: `datum.${count} > 0`,
      field: share,
      type: 'quantitative',
      scale: { domain: [0, 1], range: [0.15, 0.9] },
      legend: null,
    },
    value: 1,
  },
});

/** Text in the colour that the theme gives to labels. Without these properties Vega-Lite gives it one of its own. */
export const themedText: Json = { type: 'text', style: 'guide-label', filled: false, stroke: 'transparent' };

/** Leaves out the archive, as `insights` does unless it is named, where rows of anything else exist. */
export const withoutArchive = (exchange: string): Json[] => [
  calculate('archived', `${exchange} === '${ARCHIVE}' ? 1 : 0`),
  { joinaggregate: [{ op: 'min', field: 'archived', as: 'all_archived' }] },
  { filter: 'datum.archived === datum.all_archived' },
];
