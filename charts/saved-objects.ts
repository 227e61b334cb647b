import { CANDLE_INDICES, TICKER_INDICES } from '../core/market/index-names.ts';
import { BOARDS, type Board, CONTROLS, chartId, TICKS, TITLE } from './dashboards-layout.ts';
import { dashboardsSpec } from './dashboards-rendering.ts';
import { fieldAttributes, patternId } from './index-patterns.ts';
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

const NO_QUERY = { query: { query: '', language: 'kuery' }, filter: [] };

/** The time range that dashboards open with: ISO 8601, or relative to now such as `now-7d`. */
export interface OpeningRange {
  from: string;
  to: string;
}

const LAST_WEEK: OpeningRange = { from: 'now-7d', to: 'now' };

/** All objects; each comes after the ones it refers to. */
export function savedObjects(range = LAST_WEEK): SavedObject[] {
  const boards = BOARDS.map((board) => dashboard(board, range));
  return [...indexPatterns(), ...charts(), controls(), ...notes(), ticks(), ...boards];
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

function notes(): SavedObject[] {
  return BOARDS.map(({ notes: id, markdown }) =>
    visualization(id, 'How to read this', 'What the charts show.', 'markdown', {
      fontSize: 12,
      openLinksInNewTab: false,
      markdown,
    }),
  );
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

/** Its panels in the order of the layout; Dashboards names them by their position. */
function dashboard(
  { id, title, description, panels, keepsTime }: Board,
  { from, to }: OpeningRange,
): SavedObject {
  const placed = panels.map(([, , x, y, w, h], index) => ({
    version: PANEL_SHAPE,
    gridData: { x, y, w, h, i: String(index) },
    panelIndex: String(index),
    embeddableConfig: {},
    panelRefName: `panel_${index}`,
  }));
  const restored = { timeRestore: true, timeFrom: from, timeTo: to };
  return object(
    'dashboard',
    id,
    {
      title,
      description,
      hits: 0,
      panelsJSON: JSON.stringify(placed),
      optionsJSON: JSON.stringify({ useMargins: true, hidePanelTitles: false }),
      version: 1,
      ...(keepsTime
        ? { timeRestore: false }
        : { ...restored, refreshInterval: { pause: false, value: 60_000 } }),
      kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify(NO_QUERY) },
    },
    panels.map(([type, panel], index) => ({ name: `panel_${index}`, type, id: panel })),
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
