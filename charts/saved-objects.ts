import { CANDLE_INDICES, TICKER_INDICES } from '../core/market/index-names.ts';
import { dashboardsSpec } from './dashboards-rendering.ts';
import { fieldAttributes } from './index-patterns.ts';
import { DASHBOARD_PICTURES } from './pictures/all.ts';
import { type IndexPattern, type Json, TIME_FIELDS } from './pictures/chart.ts';

/**
 * A saved object in the format that OpenSearch Dashboards exports and imports. It rejects attributes it does not know, and
 * a missing attribute can break the page that shows the object.
 */
export interface SavedObject {
  type: 'index-pattern' | 'visualization' | 'search' | 'dashboard';
  /** The same in every build, so that an import replaces the object instead of adding another. */
  id: string;
  attributes: Json;
  references: Reference[];
  /** The version of the attributes' shape: the last migration of each type, which every release can read. */
  migrationVersion: Record<string, string>;
}

interface Reference {
  name: string;
  type: SavedObject['type'];
  id: string;
}

/** The last migration of each type; Dashboards rejects a later one. */
const SHAPES = {
  'index-pattern': '7.6.0',
  visualization: '7.10.0',
  search: '7.9.3',
  dashboard: '7.9.3',
} as const satisfies Record<SavedObject['type'], string>;

const PANEL_SHAPE = '7.10.0';

const PREFIX = 'crypto-market-insights';
const TITLE = 'Crypto market insights';

const patternId = (pattern: IndexPattern) => `${PREFIX}-${pattern.replace(/-\*$/, '')}`;
const chartId = (id: string) => `${PREFIX}-chart-${id}`;
const CONTROLS = `${PREFIX}-controls`;
const NOTES = `${PREFIX}-notes`;
const TICKS = `${PREFIX}-ticks`;

/** The dashboard's id, as in `…/app/dashboards#/view/<id>`. */
export const DASHBOARD_ID = `${PREFIX}-overview`;

const NO_QUERY = { query: { query: '', language: 'kuery' }, filter: [] };

/** The time range that the dashboard opens with: ISO 8601, or relative to now such as `now-7d`. */
export interface OpeningRange {
  from: string;
  to: string;
}

const LAST_WEEK: OpeningRange = { from: 'now-7d', to: 'now' };

/** All objects; each comes after the ones it refers to. */
export function savedObjects(range = LAST_WEEK): SavedObject[] {
  return [...indexPatterns(), ...charts(), controls(), notes(), ticks(), dashboard(range)];
}

/** The format Dashboards imports: one object per line. */
export function savedObjectsNdjson(range?: OpeningRange): string {
  return savedObjects(range)
    .map((object) => `${JSON.stringify(object)}\n`)
    .join('');
}

function indexPatterns(): SavedObject[] {
  return (Object.entries(TIME_FIELDS) as [IndexPattern, string][]).map(([title, timeFieldName]) =>
    object('index-pattern', patternId(title), { title, timeFieldName, ...fieldAttributes(title) }),
  );
}

function charts(): SavedObject[] {
  return DASHBOARD_PICTURES.flatMap((picture) =>
    picture.charts.map((chart) =>
      visualization(chartId(chart.id), chart.title, chart.description, 'vega', {
        spec: JSON.stringify(dashboardsSpec(chart, picture), undefined, 2),
      }),
    ),
  );
}

/** Pickers for exchange and currency. They filter on fields that all three index patterns share. */
function controls(): SavedObject {
  const list = (id: string, fieldName: string, label: string, size: number) => ({
    id,
    fieldName,
    parent: '',
    label,
    type: 'list',
    options: { type: 'terms', multiselect: true, dynamicOptions: true, size, order: 'desc' },
    indexPatternRefName: `control_${id}_index_pattern`,
  });
  const lists = [list('0', 'symbol', 'Currency', 20), list('1', 'exchange', 'Exchange', 20)];
  return {
    ...visualization(
      CONTROLS,
      'What to show',
      'Picks the currency and the exchange for all charts.',
      'input_control_vis',
      { controls: lists, updateFiltersOnChange: true, useTimeFilter: false, pinFilters: false },
    ),
    references: lists.map(({ indexPatternRefName }) => ({
      name: indexPatternRefName,
      type: 'index-pattern',
      id: patternId(CANDLE_INDICES),
    })),
  };
}

function notes(): SavedObject {
  const markdown = [
    'Pick a currency to see its price; without one, BTC, ETH, XRP, SOL, ADA and DOGE are compared by their changes, or the largest where these are missing. Of a currency with several markets the **main one** is drawn, where most of it is traded; the legend names it. **Click a bar** in a ranking to see that series alone. Times are UTC, prices in the quote currency.',
    'Average prices and coverage reach back a year at least, moves 90 days. Ticks per hour, freshness and gaps are of everything, whatever is picked. Moves that reverse between two polls are not seen.',
  ].join('\n\n');
  return visualization(NOTES, 'How to read this', 'What the charts show.', 'markdown', {
    fontSize: 12,
    openLinksInNewTab: false,
    markdown,
  });
}

function ticks(): SavedObject {
  const indexRefName = 'kibanaSavedObjectMeta.searchSourceJSON.index';
  return object(
    'search',
    TICKS,
    {
      title: `${TITLE}: ticks`,
      description: 'Ticks as the exchanges sent them, newest first.',
      hits: 0,
      columns: ['exchange', 'category', 'symbol', 'last_price', 'price_24h_pcnt', 'turnover_24h'],
      sort: [['slot', 'desc']],
      version: 1,
      kibanaSavedObjectMeta: {
        searchSourceJSON: JSON.stringify({ ...NO_QUERY, highlightAll: true, version: true, indexRefName }),
      },
    },
    [{ name: indexRefName, type: 'index-pattern', id: patternId(TICKER_INDICES) }],
  );
}

type Panel = [type: 'visualization' | 'search', id: string, x: number, y: number, w: number, h: number];

/** Positions on Dashboards' grid of 48 columns; a row is 20 pixels high, with 10 between two. */
const LAYOUT: readonly Panel[] = [
  ['visualization', CONTROLS, 0, 0, 18, 6],
  ['visualization', NOTES, 18, 0, 30, 6],
  ['visualization', chartId('headline'), 0, 6, 48, 7],
  ['visualization', chartId('price'), 0, 13, 24, 15],
  ['visualization', chartId('change'), 24, 13, 24, 15],
  ['visualization', chartId('candlesticks'), 0, 28, 24, 15],
  ['visualization', chartId('volatility'), 24, 28, 24, 15],
  ['visualization', chartId('average'), 0, 43, 24, 15],
  ['visualization', chartId('coverage'), 24, 43, 24, 15],
  ['visualization', chartId('moves-per-week'), 0, 58, 24, 15],
  ['visualization', chartId('move-sizes'), 24, 58, 24, 15],
  ['visualization', chartId('moves-by-currency'), 0, 73, 24, 15],
  ['visualization', chartId('bands'), 24, 73, 24, 15],
  ['visualization', chartId('spread'), 0, 88, 24, 12],
  ['visualization', chartId('funding'), 24, 88, 24, 12],
  ['visualization', chartId('ticks-per-hour'), 0, 100, 24, 12],
  ['visualization', chartId('gaps'), 24, 100, 24, 12],
  ['visualization', chartId('freshness'), 0, 112, 48, 9],
  ['search', TICKS, 0, 121, 48, 16],
];

function dashboard({ from, to }: OpeningRange): SavedObject {
  const panels = LAYOUT.map(([, , x, y, w, h], index) => ({
    version: PANEL_SHAPE,
    gridData: { x, y, w, h, i: String(index) },
    panelIndex: String(index),
    embeddableConfig: {},
    panelRefName: `panel_${index}`,
  }));
  return object(
    'dashboard',
    DASHBOARD_ID,
    {
      title: TITLE,
      description: 'What a currency cost, how wildly it moves, and whether the pipeline is healthy.',
      hits: 0,
      panelsJSON: JSON.stringify(panels),
      optionsJSON: JSON.stringify({ useMargins: true, hidePanelTitles: false }),
      version: 1,
      timeRestore: true,
      timeFrom: from,
      timeTo: to,
      refreshInterval: { pause: false, value: 60_000 },
      kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify(NO_QUERY) },
    },
    LAYOUT.map(([type, id], index) => ({ name: `panel_${index}`, type, id })),
  );
}

function visualization(
  id: string,
  title: string,
  description: string,
  type: string,
  params: Json,
): SavedObject {
  return object('visualization', id, {
    title,
    description,
    visState: JSON.stringify({ title, type, aggs: [], params }),
    uiStateJSON: '{}',
    version: 1,
    kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify(NO_QUERY) },
  });
}

function object(
  type: SavedObject['type'],
  id: string,
  attributes: Json,
  references: Reference[] = [],
): SavedObject {
  return { type, id, attributes, references, migrationVersion: { [type]: SHAPES[type] } };
}
