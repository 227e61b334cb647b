import { CANDLE_INDICES } from '../core/market/index-names.ts';
import { parseSeries } from '../core/market/series.ts';
import { DAY_MS } from '../core/market/time.ts';
import { PICTURES } from './all.ts';
import {
  type Chart,
  type ChartQuery,
  type IndexPattern,
  type Json,
  type Picture,
  TIME_FIELDS,
} from './pictures/chart.ts';

/** The windows that a picture may be asked about, in days. */
const WINDOW_DAYS = { '24h': 1, '7d': 7, '30d': 30, '90d': 90, '1y': 365, '2y': 730 } as const;

export type PageWindow = keyof typeof WINDOW_DAYS;

export const PAGE_WINDOWS = Object.keys(WINDOW_DAYS) as readonly PageWindow[];

/** The windows that average prices are told of. */
export const AVERAGE_WINDOWS = ['1h', '24h', '90d', '1y', '2y'] as const;

/** What the report page asks of a picture. */
export interface PictureQuestion {
  /** Id of the picture. */
  picture: string;
  /** `exchange:category:symbol`; a picture that shows one currency needs it. */
  series?: string | undefined;
  /** @default the picture's usual window */
  window?: PageWindow | undefined;
}

/** The rows of a picture's data sets, and the window they are of. */
export interface PictureAnswer {
  /** Epoch ms, inclusive. */
  fromMs: number;
  /** Epoch ms, exclusive. */
  toMs: number;
  /** Hours of the window that have a candle of the picked series; absent without one. */
  hours?: number;
  /** By the name of the query. */
  rows: Record<string, unknown[]>;
}

/** One search of OpenSearch. */
export interface Search {
  index: IndexPattern;
  body: Json;
}

/** The window of a picture as of a time: as long as it is asked for, but at least as long as the picture needs. */
export function pictureWindow(
  { usualWindow, atLeastDays = 0 }: Pick<Picture, 'usualWindow' | 'atLeastDays'>,
  window: PageWindow | undefined,
  asOfMs: number,
): { fromMs: number; toMs: number } {
  const lengthMs = Math.max(WINDOW_DAYS[window ?? usualWindow], atLeastDays) * DAY_MS;
  // Its end is exclusive, and what holds right now belongs to it.
  return { fromMs: asOfMs - lengthMs, toMs: asOfMs + 1 };
}

/** A picture's queries by name: its charts share those that have the same. */
export function pictureQueries({
  charts,
}: Pick<Picture, 'charts'>): Map<string, { query: ChartQuery; chart: Chart }> {
  return new Map(
    charts.flatMap((chart) =>
      Object.entries(chart.queries).map(([name, query]): [string, { query: ChartQuery; chart: Chart }] => [
        name,
        { query, chart },
      ]),
    ),
  );
}

/** A query as a search: its aggregations over the window, of one series or of all that the filters leave. */
export function searchOf(
  { index, aggs }: Pick<ChartQuery, 'index' | 'aggs'>,
  window: { fromMs: number; toMs: number },
  series?: string | undefined,
  filters: readonly Json[] = [],
): Search {
  return {
    index,
    body: {
      size: 0,
      track_total_hits: false,
      query: { bool: { filter: [rangeOf(index, window), ...seriesFilters(series), ...filters] } },
      aggs,
    },
  };
}

/** How many hours of a window have a candle. */
export function hoursSearch(window: { fromMs: number; toMs: number }, series: string): Search {
  return searchOf({ index: CANDLE_INDICES, aggs: { hours: { sum: { field: 'hours' } } } }, window, series);
}

/** The rows of an answer: what lies at `aggregations.series.buckets`, say. */
export function rowsOf({ rows }: Pick<ChartQuery, 'rows'>, answer: unknown): unknown[] {
  const found = rows.split('.').reduce<unknown>((node, key) => (node as Json | undefined)?.[key], answer);
  return Array.isArray(found) ? found : [];
}

function rangeOf(index: IndexPattern, { fromMs, toMs }: { fromMs: number; toMs: number }): Json {
  return { range: { [TIME_FIELDS[index]]: { gte: fromMs, lt: toMs, format: 'epoch_millis' } } };
}

function seriesFilters(series: string | undefined): Json[] {
  if (series === undefined) return [];
  return Object.entries(parseSeries(series)).map(([field, value]) => ({ term: { [field]: value } }));
}

/** A question names a picture or window that there is not, or no series where one is needed. */
export class PictureQuestionError extends Error {
  override readonly name = 'PictureQuestionError';
}

/** @throws PictureQuestionError */
export function pictureNamed(id: string): Picture {
  const picture = PICTURES.find((each) => each.id === id);
  if (!picture) {
    const known = PICTURES.map((each) => each.id).join(', ');
    throw new PictureQuestionError(`There is no picture "${id}"; there are ${known}.`);
  }
  return picture;
}

/** Two questions with the same key have the same answer. */
export function questionKey({ picture: id, series, window }: PictureQuestion): string {
  const picture = pictureNamed(id);
  const { fromMs, toMs } = pictureWindow(picture, window, 0);
  const compared = series !== undefined && isArchived(series) ? 'archived' : 'all';
  return [id, toMs - fromMs, isOfOneCurrency(picture) ? series : compared].join('|');
}

/** Whether any of a picture's charts shows one currency at a time. */
export function isOfOneCurrency({ charts }: Picture): boolean {
  return charts.some(({ ofOneCurrency }) => ofOneCurrency);
}

/** The bundled daily history, which takes part only where it is picked. */
export function isArchived(series: string): boolean {
  return series.startsWith('archive:');
}
