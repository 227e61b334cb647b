/**
 * What a chart specification is made of. Each is written once and rendered twice: for OpenSearch Dashboards, which
 * runs the queries itself (../dashboards-rendering.ts), and for the report page, which is handed their answers
 * (../page-rendering.ts).
 */

import { CANDLE_INDICES, MOVES_INDEX, TICKER_INDICES } from '../../core/market/index-names.ts';
import type { PageWindow } from '../questions.ts';

/** A part of a query or of a Vega-Lite specification: plain JSON. */
export type Json = { [key: string]: unknown };

/** The index patterns that charts ask, and the field that says when a document of theirs holds. */
export const TIME_FIELDS = {
  [TICKER_INDICES]: 'slot',
  [CANDLE_INDICES]: 'start',
  [MOVES_INDEX]: 'confirmed_time',
} as const;

export type IndexPattern = keyof typeof TIME_FIELDS;

/** The one search behind a data set of a chart. */
export interface ChartQuery {
  index: IndexPattern;
  /**
   * Aggregations of everything that the window and the picked currency leave. There is no query beside them:
   * Dashboards puts its own time range and filters there.
   */
  aggs: Json;
  /** Where in the answer the rows are, e.g. `aggregations.series.buckets`. */
  rows: string;
}

/** A choice that a reader makes in the chart itself: a Vega parameter. */
export interface ChartChoice {
  name: string;
  label: string;
  options: readonly { value: string | number; label: string }[];
  value: string | number;
}

/** How the report's table writes a value. */
export type ColumnFormat = 'text' | 'time' | 'date' | 'price' | 'percent' | 'share' | 'count' | 'number';

export interface TableColumn {
  /** A field of the rows that the marks are drawn from. */
  field: string;
  title: string;
  format: ColumnFormat;
}

/** One chart: a Vega-Lite view of its own, which takes the width it is given. */
export interface Chart {
  /** Stable: the ids in Dashboards are derived from it. */
  id: string;
  title: string;
  /** One or two sentences for those who cannot see it, and the tooltip in Dashboards: what is drawn, in which units. */
  description: string;
  /** Whether it shows one currency at a time where one is picked; else it compares all of them. */
  ofOneCurrency: boolean;
  /** By the name of the data set in `spec`. Each is used in one place of it: Dashboards fills each only once. */
  queries: Readonly<Record<string, ChartQuery>>;
  /** Vega-Lite; data are `{name: <query>}`, colours `var(--name)` (see ../palette.ts). */
  spec: Json;
  /** On the report page, in pixels. */
  height: number;
  /** The rows are those of these layers' marks (by the layer's `name`); a later layer adds what the earlier lack. */
  table: { layers: readonly string[]; columns: readonly TableColumn[] };
  /** Whether x is time: the page then shows the whole window, also where there is no data. */
  overTime: boolean;
  /** What to do where there is nothing to show. */
  whenEmpty: string;
}

/** A question, and the charts that answer it. */
export interface Picture {
  id: string;
  title: string;
  /** What one sees here, and how it is counted; plain text. */
  about: string;
  /** The window that the question is usually asked about. */
  usualWindow: PageWindow;
  /** The charts reach back so many days from the window's end, however short the window. @default 0 */
  atLeastDays?: number;
  choices?: readonly ChartChoice[];
  charts: readonly Chart[];
}
