export const PREFIX = 'crypto-market-insights';
export const TITLE = 'Crypto market insights';

export const chartId = (id: string) => `${PREFIX}-chart-${id}`;
export const CONTROLS = `${PREFIX}-controls`;
export const TICKS = `${PREFIX}-ticks`;

/** The overview's id, as in `…/app/dashboards#/view/<id>`. */
export const DASHBOARD_ID = `${PREFIX}-overview`;
export const SERIES_DASHBOARD_ID = `${PREFIX}-series`;
export const PIPELINE_DASHBOARD_ID = `${PREFIX}-pipeline`;

/** A position on Dashboards' grid of 48 columns; a row is 20 pixels high, with 10 between two. */
export type PlacedPanel = readonly [
  type: 'visualization' | 'search',
  id: string,
  x: number,
  y: number,
  w: number,
  h: number,
];

/** A dashboard: its panels, and its note. */
export interface Board {
  id: string;
  title: string;
  description: string;
  /** Whether it shows the time range that the reader comes with, instead of one of its own. @default false */
  keepsTime?: boolean;
  /** The id of its note. */
  notes: string;
  markdown: string;
  panels: readonly PlacedPanel[];
}

type Row = readonly [height: number, ...panels: (readonly [id: string, width: number])[]];

/** The panels from left to right and from top to bottom. */
function inRows(rows: readonly Row[]): PlacedPanel[] {
  let y = 0;
  return rows.flatMap(([height, ...panels]) => {
    let x = 0;
    const placed = panels.map(([id, width]): PlacedPanel => {
      const panel: PlacedPanel = [id === TICKS ? 'search' : 'visualization', id, x, y, width, height];
      x += width;
      return panel;
    });
    y += height;
    return placed;
  });
}

const half = (...ids: string[]) => ids.map((id) => [chartId(id), 24] as const);
const full = (id: string) => [chartId(id), 48] as const;
const view = (id: string) => `#/view/${id}`;

const OVERVIEW_NOTES = `${PREFIX}-notes`;
const SERIES_NOTES = `${PREFIX}-notes-series`;
const PIPELINE_NOTES = `${PREFIX}-notes-pipeline`;

const overview: Board = {
  id: DASHBOARD_ID,
  title: TITLE,
  description: 'What currencies cost, and how wildly they move.',
  notes: OVERVIEW_NOTES,
  markdown: [
    `Pick a currency to see its price; without one, BTC, ETH, XRP, SOL, ADA and DOGE are compared by their changes, or the largest where these are missing. Of a currency with several markets the **main one** is drawn, where most of it is traded; the legend names it, and says so if there are too many markets to draw that one: pick the currency then. **Click a bar** in a ranking to see that series alone. Times are UTC, prices in the quote currency.`,
    `More: a click on a **symbol** in a table opens [one currency](${view(SERIES_DASHBOARD_ID)}) in the same time range. Is the data complete and fresh? See [the pipeline](${view(PIPELINE_DASHBOARD_ID)}).`,
  ].join('\n\n'),
  panels: inRows([
    [7, [CONTROLS, 18], [OVERVIEW_NOTES, 30]],
    [7, full('headline')],
    [15, ...half('price', 'change')],
    [15, ...half('volatility', 'bands')],
    [15, ...half('moves-by-currency', 'average')],
    [16, [TICKS, 48]],
  ]),
};

const oneSeries: Board = {
  id: SERIES_DASHBOARD_ID,
  title: `${TITLE}: one currency`,
  description: 'One currency in detail: prices, averages, moves, costs, and how complete its data is.',
  keepsTime: true,
  notes: SERIES_NOTES,
  markdown: [
    `Everything about the currency in the filters: a click on a symbol in a table brings you here, and so does picking one on the left. It keeps the time range; if a chart is empty, pick a longer one. Average prices and coverage reach back a year at least, moves 90 days. Moves that reverse between two polls are not seen.`,
    `Back to [all currencies](${view(DASHBOARD_ID)}), or on to [the pipeline](${view(PIPELINE_DASHBOARD_ID)}).`,
  ].join('\n\n'),
  panels: inRows([
    [7, [CONTROLS, 18], [SERIES_NOTES, 30]],
    [7, full('headline')],
    [15, ...half('price', 'candlesticks')],
    [15, ...half('change', 'average')],
    [15, ...half('moves-per-week', 'move-sizes')],
    [12, ...half('spread', 'funding')],
    [12, ...half('coverage', 'completeness')],
    [16, [TICKS, 48]],
  ]),
};

const pipeline: Board = {
  id: PIPELINE_DASHBOARD_ID,
  title: `${TITLE}: the pipeline`,
  description: 'Whether the data is fresh and complete.',
  notes: PIPELINE_NOTES,
  markdown: [
    'The way of a tick: it is **due** at its slot, **fetched** from the exchange, **stored** in the lake and the stream, then **indexed**; its candle is made when the hour has closed. Freshness and delay show the first and the last step. Those between are metrics: the CloudWatch dashboard of the stage has them.',
    `Freshness, delay, ticks per hour and gaps are of everything, whatever is picked. Back to [all currencies](${view(DASHBOARD_ID)}).`,
  ].join('\n\n'),
  panels: inRows([
    [7, [CONTROLS, 18], [PIPELINE_NOTES, 30]],
    [12, ...half('freshness', 'delay')],
    [12, ...half('ticks-per-hour', 'gaps')],
    [14, full('completeness')],
  ]),
};

export const BOARDS: readonly Board[] = [overview, oneSeries, pipeline];

/**
 * The dashboard of one currency for a symbol in a table: `{{value}}` is the symbol, as Dashboards' format for links fills
 * it in. The range is that of the reader, because the address has none.
 */
export function seriesLink(patternId: string): string {
  const filter = [
    `meta:(alias:!n,disabled:!f,index:'${patternId}',key:symbol,negate:!f,params:(query:'{{value}}'),type:phrase)`,
    `query:(match_phrase:(symbol:'{{value}}'))`,
  ].join(',');
  return `../app/dashboards${view(SERIES_DASHBOARD_ID)}?_a=(filters:!((${filter})))`;
}
