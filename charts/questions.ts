import type { Answers } from '../core/insights/question.ts';
import { CANDLE_INDICES } from '../core/market/index-names.ts';
import { InvalidInputError } from '../core/market/invalid-input.ts';
import { parseSeries } from '../core/market/series.ts';
import { DAY_MS } from '../core/market/time.ts';
import { type Window, widened, windowBefore } from '../core/market/window.ts';
import { PAGE_PICTURES, PICTURES } from './pictures/all.ts';
import {
  type Chart,
  type ChartQuery,
  type IndexPattern,
  type Json,
  type PagePicture,
  type Picture,
  TIME_FIELDS,
} from './pictures/chart.ts';
import { mapNodes } from './specs.ts';
import { type PageWindow, WINDOW_DAYS } from './windows.ts';

/** What the report page asks for. */
export interface PictureQuestion {
  /** Id of the picture. */
  picture: string;
  /** `exchange:category:symbol`; required by a picture that shows one currency. */
  series?: string | undefined;
  /** @default the picture's usual window */
  window?: PageWindow | undefined;
}

/** The rows of a picture's data sets, and their window. */
export interface PictureAnswer {
  /** Epoch ms, inclusive. */
  fromMs: number;
  /** Epoch ms, exclusive. */
  toMs: number;
  /** Hours of the window that have a candle of the picked series; absent if none is picked. */
  hours?: number;
  /** By the name of the query, or of the data set in a chart whose rows are computed. */
  rows: Record<string, unknown[]>;
  /** The answer that the picture is about; absent without data, or if there is none. */
  profile?: Answers['profile'];
}

/** One search of OpenSearch. */
export interface Search {
  /** One index pattern, or several separated by commas. */
  index: string;
  body: Json;
}

type Lengths = Pick<PagePicture, 'usualWindow' | 'atLeastDays'>;

/** The length of a picture's window: as long as asked for, but at least `atLeastDays`. */
export function lengthOf({ usualWindow, atLeastDays = 0 }: Lengths, window: PageWindow | undefined): string {
  return `${Math.max(WINDOW_DAYS[window ?? usualWindow], atLeastDays)}d`;
}

/** The window of a picture as of a time. It begins with a whole hour, as the answers of `insights` do. */
export function pictureWindow(picture: Lengths, window: PageWindow | undefined, asOfMs: number): Window {
  const { fromMs } = widened(windowBefore(asOfMs, lengthOf(picture, window)));
  // The end is exclusive, and a tick of this very moment belongs to the window.
  return { fromMs, toMs: asOfMs + 1 };
}

/** A picture's queries by name; charts share queries of the same name. */
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

/** A query as a search: its aggregations over the window, for one series or for all that pass the filters. */
export function searchOf(
  { index, lastDays, daysBefore = 0, aggs }: Pick<ChartQuery, 'index' | 'lastDays' | 'daysBefore' | 'aggs'>,
  window: Window,
  series?: string | undefined,
  filters: readonly Json[] = [],
): Search {
  const time = eitherOf(
    indicesOf(index).map((each) => {
      const days = lastDays?.[each];
      const fromMs = window.fromMs - daysBefore * DAY_MS;
      const lastMs = days === undefined ? fromMs : window.toMs - days * DAY_MS;
      return rangeOf(each, { ...window, fromMs: Math.max(fromMs, lastMs) });
    }),
  );
  return {
    index: indicesOf(index).join(','),
    body: {
      size: 0,
      track_total_hits: false,
      query: { bool: { filter: [time, ...seriesFilters(series), ...filters] } },
      aggs: withBounds(aggs, window),
    },
  };
}

/** Comparisons leave them out, as `insights` does. */
export const OPTIONS: Json = { term: { category: 'option' } };

/** The index patterns that a query asks. */
export function indicesOf(index: ChartQuery['index']): readonly IndexPattern[] {
  return typeof index === 'string' ? [index] : index;
}

/** A filter that documents pass which pass any of these. */
export function eitherOf(filters: readonly Json[]): Json {
  const [first] = filters;
  return first && filters.length === 1 ? first : { bool: { should: filters, minimum_should_match: 1 } };
}

/** Aggregations with the window's ends in the place of the bounds that Dashboards would fill in. */
function withBounds(aggs: Json, { fromMs, toMs }: Window): Json {
  return mapNodes(aggs, (node) => {
    const { '%timefilter%': bound, shift = 0 } = (node ?? {}) as {
      '%timefilter%'?: 'min' | 'max';
      shift?: number;
    };
    return bound === undefined ? node : (bound === 'min' ? fromMs : toMs) + shift * DAY_MS;
  }) as Json;
}

/** How many hours of a window have a candle. */
export function hoursSearch(window: Window, series: string): Search {
  return searchOf({ index: CANDLE_INDICES, aggs: { hours: { sum: { field: 'hours' } } } }, window, series);
}

/** The rows of an answer, found at the query's path. */
export function rowsOf({ rows }: Pick<ChartQuery, 'rows'>, answer: unknown): unknown[] {
  const found = rows.split('.').reduce<unknown>((node, key) => (node as Json | undefined)?.[key], answer);
  return Array.isArray(found) ? found : [];
}

function rangeOf(index: IndexPattern, { fromMs, toMs }: Window): Json {
  return { range: { [TIME_FIELDS[index]]: { gte: fromMs, lt: toMs, format: 'epoch_millis' } } };
}

function seriesFilters(series: string | undefined): Json[] {
  if (series === undefined) return [];
  return Object.entries(parseSeries(series)).map(([field, value]) => ({ term: { [field]: value } }));
}

/** @throws InvalidInputError */
export function pictureNamed(id: string): PagePicture {
  return named(PAGE_PICTURES, id);
}

/** @throws InvalidInputError if there is no such picture whose rows OpenSearch answers */
export function queriedPicture(id: string): Picture {
  return named(PICTURES, id);
}

function named<P extends PagePicture>(pictures: readonly P[], id: string): P {
  const picture = pictures.find((each) => each.id === id);
  if (picture) return picture;
  const known = pictures.map((each) => each.id).join(', ');
  throw new InvalidInputError(`There is no picture "${id}". Choose one of ${known}.`);
}

/** Questions with the same key have the same answer. */
export function questionKey({ picture: id, series, window }: PictureQuestion): string {
  const picture = pictureNamed(id);
  const compared = series !== undefined && isArchived(series) ? 'archived' : 'all';
  return [id, lengthOf(picture, window), isOfOneCurrency(picture) ? series : compared].join('|');
}

/** Whether any of a picture's charts shows one currency at a time. */
export function isOfOneCurrency({ charts }: PagePicture): boolean {
  return charts.some(({ ofOneCurrency }) => ofOneCurrency);
}

/** Whether it belongs to the bundled daily history, which is shown only when it is picked. */
export function isArchived(series: string): boolean {
  return series.startsWith('archive:');
}
