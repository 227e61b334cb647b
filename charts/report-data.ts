import { type AverageOver, averageOver } from '../core/insights/average.ts';
import { NoAnswerError } from '../core/insights/errors.ts';
import { remembered } from '../core/insights/remembered.ts';
import { ARCHIVE } from '../core/insights/resolve.ts';
import { TICKER_INDICES } from '../core/market/index-names.ts';
import { InvalidInputError } from '../core/market/invalid-input.ts';
import { samplingIntervalOf } from '../core/market/sampling.ts';
import { parseSeries } from '../core/market/series.ts';
import { DAY_MS } from '../core/market/time.ts';
import { type Window, windowBefore } from '../core/market/window.ts';
import { type ComputedAnswer, correlationPicture, profilePicture } from './computed-pictures.ts';
import type { Json, PagePicture } from './pictures/chart.ts';
import { correlation } from './pictures/correlation.ts';
import { profile } from './pictures/profile.ts';
import {
  hoursSearch,
  isArchived,
  isOfOneCurrency,
  lengthOf,
  OPTIONS,
  type PictureAnswer,
  type PictureQuestion,
  pictureNamed,
  pictureQueries,
  pictureWindow,
  queriedPicture,
  rowsOf,
  searchOf,
} from './questions.ts';
import type { ReportStore } from './report-store.ts';
import { pickable } from './series-choices.ts';
import { AVERAGE_WINDOWS } from './windows.ts';

/** The figures above the charts, for the picked series. */
export interface SeriesSummary {
  /** Its newest tick of the last 24 hours, if any. */
  newest?: {
    /** Epoch ms. */
    slotMs: number;
    price: number;
    /** A fraction, like all changes; absent if the exchange does not provide it. */
    change24h?: number;
    high24h?: number;
    low24h?: number;
  };
  /** Average prices by window, e.g. `90d`; windows without data are left out. */
  averages: Record<string, AverageOver>;
  samplingIntervalSeconds: number;
}

/** The newest price, average prices as `insights average` calculates them, and the sampling interval. */
export async function seriesSummary(
  store: ReportStore,
  series: string,
  asOfMs: number,
): Promise<SeriesSummary> {
  const of = parseSeries(series);
  const samplingIntervalMs = samplingIntervalOf(of, store.samplingIntervals);
  const averages: Record<string, AverageOver> = {};
  // Why hours have no data is asked for once, for all windows.
  const insights = remembered(store.insights);
  const [newest] = await Promise.all([
    newestOf(store, series, asOfMs),
    ...AVERAGE_WINDOWS.map(async (over) => {
      const window = windowBefore(asOfMs, over);
      try {
        averages[over] = await averageOver(insights, of, window, samplingIntervalMs);
      } catch (error) {
        if (!(error instanceof NoAnswerError)) throw error;
      }
    }),
  ]);
  return {
    ...(newest ? { newest } : {}),
    averages,
    samplingIntervalSeconds: samplingIntervalMs / 1_000,
  };
}

async function newestOf(
  store: ReportStore,
  series: string,
  asOfMs: number,
): Promise<SeriesSummary['newest'] | undefined> {
  const fields = ['slot', 'last_price', 'price_24h_pcnt', 'high_price_24h', 'low_price_24h'];
  const day = { fromMs: asOfMs - DAY_MS, toMs: asOfMs + 1 };
  const { index, body } = searchOf({ index: TICKER_INDICES, aggs: {} }, day, series);
  const { hits } = await store.search(index, {
    ...body,
    size: 1,
    sort: [{ slot: 'desc' }],
    _source: fields,
  });
  const tick = hits.hits[0]?._source;
  if (!tick) return undefined;
  const optional = (name: string, field: string) =>
    typeof tick[field] === 'number' ? { [name]: tick[field] } : {};
  return {
    slotMs: Date.parse(String(tick.slot)),
    price: Number(tick.last_price),
    ...optional('change24h', 'price_24h_pcnt'),
    ...optional('high24h', 'high_price_24h'),
    ...optional('low24h', 'low_price_24h'),
  };
}

/**
 * Answers a picture's queries, or has the insights core compute its rows.
 * @throws InvalidInputError
 */
export async function answerPicture(
  store: ReportStore,
  question: PictureQuestion,
  asOfMs: number,
): Promise<PictureAnswer> {
  const picture = pictureNamed(question.picture);
  const window = pictureWindow(picture, question.window, asOfMs);
  const { series } = question;
  if (!isOfOneCurrency(picture))
    return { ...window, ...(await rowsOfQueries(store, picture, window, series)) };
  if (series === undefined) {
    throw new InvalidInputError(`${picture.title} shows one currency at a time: name its series.`);
  }
  const compute = COMPUTED[picture.id];
  const [answer, hours] = await Promise.all([
    compute
      ? compute(store, series, windowBefore(asOfMs, lengthOf(picture, question.window)))
      : rowsOfQueries(store, picture, window, series),
    hoursWithCandle(store, window, series),
  ]);
  return { ...window, hours, ...answer };
}

const COMPUTED: Readonly<
  Record<string, (store: ReportStore, series: string, window: Window) => Promise<ComputedAnswer>>
> = {
  [profile.id]: profilePicture,
  [correlation.id]: async (store, series, window) =>
    correlationPicture(store, series, window, await pickable(store, window.toMs)),
};

async function rowsOfQueries(
  store: ReportStore,
  { id }: Pick<PagePicture, 'id'>,
  window: Window,
  series: string | undefined,
): Promise<ComputedAnswer> {
  const answers = [...pictureQueries(queriedPicture(id))].map(
    async ([name, { query, chart }]): Promise<[string, unknown[]]> => {
      const search = chart.ofOneCurrency
        ? searchOf(query, window, series)
        : searchOf(query, window, undefined, marketFilters(series));
      return [name, rowsOf(query, await store.search(search.index, search.body))];
    },
  );
  return { rows: Object.fromEntries(await Promise.all(answers)) };
}

async function hoursWithCandle(store: ReportStore, window: Window, series: string): Promise<number> {
  const { index, body } = hoursSearch(window, series);
  const { aggregations } = await store.search(index, body);
  return (aggregations?.hours as { value: number } | undefined)?.value ?? 0;
}

/** Comparisons leave out options and the archive, or are of the archive alone if it is picked, as `insights` does. */
function marketFilters(series: string | undefined): Json[] {
  const archive = { term: { exchange: ARCHIVE } };
  const picked = series !== undefined && isArchived(series);
  return [{ bool: { must_not: [OPTIONS, ...(picked ? [] : [archive])], filter: picked ? [archive] : [] } }];
}
