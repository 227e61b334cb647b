/**
 * The parts of a chart specification. Each chart is written once and rendered twice: for OpenSearch Dashboards, which
 * runs the queries itself (../dashboards-rendering.ts), and for the report page, which receives the rows
 * (../page-rendering.ts).
 */

import { CANDLE_INDICES, MOVES_INDEX, TICKER_INDICES } from '../../core/market/index-names.ts';
import type { PageWindow } from '../windows.ts';

/** A part of a query or of a Vega-Lite specification: plain JSON. */
export type Json = { [key: string]: unknown };

/** The index patterns that charts query, each with its time field. */
export const TIME_FIELDS = {
  [TICKER_INDICES]: 'slot',
  [CANDLE_INDICES]: 'start',
  [MOVES_INDEX]: 'confirmed_time',
} as const;

export type IndexPattern = keyof typeof TIME_FIELDS;

/** The one search behind a data set of a chart. */
export interface ChartQuery {
  /** One index pattern, or several that one search asks. */
  index: IndexPattern | readonly IndexPattern[];
  /** How many days before the window are asked, too, for comparisons with earlier values. @default 0 */
  daysBefore?: number;
  /** For these index patterns, only the documents of this many days up to the window's end. */
  lastDays?: Partial<Record<IndexPattern, number>>;
  /**
   * Aggregations over everything in the window, for the picked currency. They come without a query: Dashboards adds its
   * own time range and filters. `{'%timefilter%': 'min' | 'max', shift, unit: 'd'}` stands for an end of the window,
   * epoch ms.
   */
  aggs: Json;
  /** The path to the rows in the answer, e.g. `aggregations.series.buckets`. */
  rows: string;
}

/** A choice the reader makes in the chart: a Vega parameter. */
export interface ChartChoice {
  name: string;
  label: string;
  options: readonly { value: string | number; label: string }[];
  value: string | number;
}

/** How the report's table formats a value. */
export type ColumnFormat = 'text' | 'time' | 'date' | 'price' | 'percent' | 'share' | 'count' | 'number';

export interface TableColumn {
  /** A field of the rows behind the marks. */
  field: string;
  title: string;
  format: ColumnFormat;
}

/** One chart on the report page: a Vega-Lite view that fills the width of its container. */
export interface PageChart {
  /** Stable: the ids in Dashboards are derived from it. */
  id: string;
  title: string;
  /** What is drawn, in which units: for screen readers, and as the tooltip in Dashboards. */
  description: string;
  /** Whether it shows only the picked currency; otherwise it compares all of them. */
  ofOneCurrency: boolean;
  /** Vega-Lite. Data sets are `{name: …}`, colours `var(--name)` (see ../palette.ts). */
  spec: Json;
  /** On the report page, in pixels; the minimum, if there is a `rowHeight`. */
  height: number;
  /** How much each market needs, if each has a row. */
  rowHeight?: number;
  /** The table shows the rows behind these layers (by `name`); a later layer adds rows that earlier ones lack. */
  table: { layers: readonly string[]; columns: readonly TableColumn[] };
  /** Whether x is time: the page then shows the whole window, even without data. */
  overTime: boolean;
  /** Shown when there is no data: why, and what to do. */
  whenEmpty: string;
}

/** One chart whose rows OpenSearch answers, so that Dashboards can draw it too. */
export interface Chart extends PageChart {
  /**
   * The layer whose marks stand for a series each, with `exchange`, `category` and `symbol` in their rows. A click on one
   * filters a dashboard by it.
   */
  pickedFrom?: string;
  /** Whether it shows everything, whatever the filters of a dashboard are. @default false */
  ignoresFilters?: boolean;
  /** By the name of the data set in `spec`. Each name may occur once: Dashboards fills each only once. */
  queries: Readonly<Record<string, ChartQuery>>;
}

/** A question, and the charts that answer it. */
export interface PagePicture<C extends PageChart = PageChart> {
  id: string;
  title: string;
  /** What it shows and how it is calculated, in plain text. */
  about: string;
  /** The window shown unless the reader picks another. */
  usualWindow: PageWindow;
  /** The charts go back at least this many days, even if the window is shorter. @default 0 */
  atLeastDays?: number;
  choices?: readonly ChartChoice[];
  /** The page updates it at most this often, because its answer reads whole histories. @default whenever there is news */
  restMs?: number;
  /** The page leaves out its charts that have no data, and the picture if none has any. @default false */
  onlyWithData?: boolean;
  charts: readonly C[];
}

export type Picture = PagePicture<Chart>;
