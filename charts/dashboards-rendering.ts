import { CANDLE_INDICES } from '../core/market/index-names.ts';
import { DAY_MS } from '../core/market/time.ts';
import type { Chart, ChartQuery, IndexPattern, Json, Picture } from './pictures/chart.ts';
import { TIME_FIELDS } from './pictures/chart.ts';
import { hasCandles, severalCurrencies } from './pictures/markets.ts';
import { themedText } from './pictures/parts.ts';
import { eitherOf, indicesOf, OPTIONS } from './questions.ts';
import { dataName, literalColours, mapNodes, spanningWindow } from './specs.ts';

/**
 * A chart for OpenSearch Dashboards, which runs the queries itself, with its own time range and filters, and lets the
 * chart fill its panel. How Dashboards reads a `url` object, and what it forbids in expressions:
 * src/plugins/vis_type_vega/public/data_model in opensearch-project/OpenSearch-Dashboards.
 */
export function dashboardsSpec(chart: Chart, picture: Pick<Picture, 'atLeastDays' | 'choices'>): Json {
  const { params = [], ...view } = chart.spec as Json & { params?: Json[] };
  const spec = withWordsIfEmpty(chart, withClicks(chart, withQueries(view, chart, picture.atLeastDays)));
  return literalColours({
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    description: chart.description,
    ...spec,
    params: [
      ...windowParams(chart, picture.atLeastDays),
      ...(picture.choices ?? []).map(selectBox),
      ...clickParams(chart),
      ...params,
    ],
    config: {
      view: { stroke: null },
      // Vega warns about empty extents until there is data.
      kibana: { hideWarnings: true, renderer: 'svg' },
    },
  }) as Json;
}

/** An extra aggregation that echoes the panel's time window; Dashboards fills in its two ends. */
const WINDOW = 'time_range';
const windowAggregation: Json = {
  filter: { match_all: {} },
  meta: { from: { '%timefilter%': 'min' }, to: { '%timefilter%': 'max' } },
};

/**
 * The window's ends, the time up to which there can be data, whether several currencies are drawn, and whether there
 * are candles. Without any index
 * there are no aggregations to read them from.
 */
function windowParams({ queries }: Chart, atLeastDays = 0): Json[] {
  const [data, query] = Object.entries(queries)[0] as [string, ChartQuery];
  const end = (bound: string, otherwise: string) =>
    `(isValid(answer) ? answer.${WINDOW}.meta.${bound} : ${otherwise})`;
  return [
    { name: 'answer', expr: `length(data('${data}')) > 0 ? data('${data}')[0].aggregations : null` },
    { name: 'windowEnd', expr: end('to', 'now()') },
    {
      name: 'windowStart',
      expr: `min(${end('from', `now() - ${7 * DAY_MS}`)}, windowEnd - ${atLeastDays * DAY_MS})`,
    },
    { name: 'asOf', expr: 'min(now(), windowEnd)' },
    ...('live' in query.aggs
      ? [
          { name: 'compared', expr: `isValid(answer) && (${severalCurrencies('answer')})` },
          { name: 'recorded', expr: `isValid(answer) && ${hasCandles('answer')}` },
        ]
      : []),
  ];
}

/** A select box: the radio buttons of all panels on a page would be one group, since Vega names them after the parameter. */
function selectBox({ name, label, options, value }: NonNullable<Picture['choices']>[number]): Json {
  return {
    name,
    value,
    bind: {
      input: 'select',
      name: `${label} `,
      options: options.map((option) => option.value),
      labels: options.map((option) => option.label),
    },
  };
}

/** Picks the series of a mark that is clicked. */
const PICKED = 'picked';
const SERIES = ['exchange', 'category', 'symbol'];

function withClicks({ pickedFrom }: Chart, view: Json): Json {
  if (pickedFrom === undefined) return view;
  const select = { type: 'point', on: 'click', clear: false, fields: SERIES };
  return mapNodes(view, (node) => {
    const { name, mark } = (node ?? {}) as { name?: string; mark?: Json };
    if (name !== pickedFrom || !mark) return node;
    return { ...(node as Json), params: [{ name: PICKED, select }], mark: { ...mark, cursor: 'pointer' } };
  }) as Json;
}

/** Calls a function that Dashboards adds to Vega's, which filters the dashboard by the series that was clicked. */
function clickParams({ pickedFrom }: Chart): Json[] {
  if (pickedFrom === undefined) return [];
  const [exchange, category, symbol] = SERIES.map((field) => `${PICKED}.${field}[0]`);
  const terms = SERIES.map((field) => `{term: {${field}: ${PICKED}.${field}[0]}}`);
  const label = `${symbol} + ' · ' + ${exchange} + ' ' + ${category}`;
  const filter = `opensearchDashboardsAddFilter({bool: {filter: [${terms.join(', ')}]}}, '${CANDLE_INDICES}', ${label})`;
  return [{ name: 'filtered', expr: `isDefined(${PICKED}.symbol) ? ${filter} : null` }];
}

/** The view with its data sets' queries; its time axes span the panel's window, so that those of all panels line up. */
function withQueries(view: Json, chart: Chart, atLeastDays: number | undefined): Json {
  return mapNodes(view, (node) => {
    const { data, transform = [], ...rest } = (node ?? {}) as { data?: Json; transform?: Json[] };
    const name = dataName(data);
    const query = name === undefined ? undefined : chart.queries[name];
    if (query === undefined) return chart.overTime ? spanningWindow(node) : node;
    return {
      data: { name, url: dashboardsQuery(query, chart, atLeastDays) },
      transform: [...answerRows(query), ...transform],
      ...withQueries(rest, chart, atLeastDays),
    };
  }) as Json;
}

/** From the one row with the answer to a row for each bucket. There is none, not an error, if no index exists yet. */
function answerRows({ aggs, rows }: ChartQuery): Json[] {
  const [, root] = rows.split('.') as [string, string];
  const aggregation = aggs[root] as { aggs?: Json };
  return [
    { calculate: `isDefined(datum.aggregations) ? datum.${rows} : []`, as: 'rows' },
    { flatten: ['rows'], as: ['row'] },
    ...['key', 'doc_count', ...Object.keys(aggregation.aggs ?? {})].map((as) => ({
      calculate: `datum.row.${as}`,
      as,
    })),
  ];
}

/** The `url` object of a query. */
function dashboardsQuery(
  { index, aggs, ...query }: ChartQuery,
  { ignoresFilters, ofOneCurrency }: Chart,
  atLeastDays: number | undefined,
): Json {
  const indices = indicesOf(index);
  const time = eitherOf(indices.map((each) => inTimeRange(each, query, atLeastDays)));
  const bool = ignoresFilters
    ? { filter: [time] }
    : {
        must: ['%dashboard_context-must_clause%'],
        must_not: ['%dashboard_context-must_not_clause%', ...(ofOneCurrency ? [] : [OPTIONS])],
        filter: ['%dashboard_context-filter_clause%', time],
      };
  const body = { size: 0, query: { bool }, aggs: { ...aggs, [WINDOW]: windowAggregation } };
  return { index: indices.join(','), body };
}

/** In the panel's window, or in that many days up to its end, whichever is longer. */
function inTimeRange(
  index: IndexPattern,
  { lastDays, daysBefore = 0 }: Pick<ChartQuery, 'lastDays' | 'daysBefore'>,
  atLeastDays: number | undefined,
): Json {
  const end = (bound: 'min' | 'max', days = 0) => ({ '%timefilter%': bound, shift: -days, unit: 'd' });
  const from = (gte: Json): Json => ({
    range: { [TIME_FIELDS[index]]: { gte, lte: end('max'), format: 'epoch_millis' } },
  });
  const inPanel = from(end('min', daysBefore));
  const inWindow = atLeastDays ? eitherOf([inPanel, from(end('max', atLeastDays))]) : inPanel;
  const days = lastDays?.[index];
  return days ? { bool: { filter: [inWindow, from(end('max', days))] } } : inWindow;
}

/** A line of text in a panel of half the dashboard's width. */
const LINE_LENGTH = 80;

/**
 * The view with the chart's words for a missing answer in its middle, as long as there are no rows behind the layer that
 * the table shows.
 */
function withWordsIfEmpty({ table, whenEmpty, ofOneCurrency }: Chart, view: Json): Json {
  const words = ofOneCurrency ? `${whenEmpty} If there are many markets, pick a currency.` : whenEmpty;
  const [shown] = table.layers;
  const { layer = [], ...rest } = mapNodes(view, (node) => {
    const { layer } = (node ?? {}) as { layer?: Json[] };
    const found = layer?.find(({ name }) => name === shown);
    return found ? { ...(node as Json), layer: [...(layer as Json[]), rowCounter(found)] } : node;
  }) as { layer?: Json[] };
  const text = {
    data: { values: [{}] },
    mark: {
      ...themedText,
      fontSize: 13,
      lineHeight: 18,
      x: { expr: 'width / 2' },
      y: { expr: 'height / 2' },
      text: { expr: `length(domain('shape')) > 0 ? '' : ${JSON.stringify(linesOf(words))}` },
    },
  };
  return { ...rest, layer: [...layer, text] };
}

/** An invisible mark whose shape scale has a value only if the layer has rows: expressions can read scales, not rows. */
function rowCounter({ transform = [], data }: { transform?: Json[]; data?: Json }): Json {
  return {
    ...(data ? { data } : {}),
    transform: [...transform, { aggregate: [{ op: 'count', as: 'rows' }] }, { calculate: '1', as: 'drawn' }],
    mark: { type: 'point', opacity: 0 },
    encoding: { shape: { field: 'drawn', type: 'nominal', legend: null } },
  };
}

function linesOf(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string;
    if (line.length + word.length < LINE_LENGTH)
      lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
