import { type AverageOver, averageOver } from '../core/insights/average.ts';
import { NoAnswerError } from '../core/insights/errors.ts';
import type { SeriesStore } from '../core/insights/ports.ts';
import { ARCHIVE } from '../core/insights/resolve.ts';
import { CANDLE_INDICES, TICKER_INDICES } from '../core/market/index-names.ts';
import { InvalidInputError } from '../core/market/invalid-input.ts';
import { type SamplingIntervals, samplingIntervalOf } from '../core/market/sampling.ts';
import { formatSeries, parseSeries, type Series } from '../core/market/series.ts';
import { DAY_MS } from '../core/market/time.ts';
import { type Trade, tradeOfTick, usdTurnovers } from '../core/market/turnover.ts';
import { type Window, windowBefore } from '../core/market/window.ts';
import { type ComputedAnswer, correlationPicture, profilePicture } from './computed-pictures.ts';
import type { ChartQuery, Json, PagePicture } from './pictures/chart.ts';
import { correlation } from './pictures/correlation.ts';
import { byEverySeries } from './pictures/parts.ts';
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
  type Search,
  searchOf,
} from './questions.ts';
import { AVERAGE_WINDOWS } from './windows.ts';

/** The store behind the report's numbers. */
export interface ReportStore {
  /** Searches indices; ones that do not exist yet are empty. */
  search(index: string, body: object): Promise<{ aggregations?: Record<string, unknown> }>;
  insights: SeriesStore;
  samplingIntervals: SamplingIntervals;
}

/** A series the reader can pick. */
export interface SeriesChoice {
  /** `exchange:category:symbol` */
  series: string;
  /** Its currency, if a tick of the last 24 hours says so. */
  base?: string;
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
}

/** The figures above the charts, for the picked series. */
export interface SeriesSummary {
  /** Average prices by window, e.g. `90d`; windows without data are left out. */
  averages: Record<string, AverageOver>;
  samplingIntervalSeconds: number;
}

interface NewestBucket {
  key: Series;
  newest: { hits: { hits: { _source: Record<string, unknown> }[] } };
}

/** Every series with a tick or a candle: by turnover in dollars, then those without one, and the archive last. */
export async function seriesChoices(store: ReportStore, asOfMs: number): Promise<SeriesChoice[]> {
  const prices = ['slot', 'last_price', 'price_24h_pcnt', 'high_price_24h', 'low_price_24h'];
  const fields = [...prices, 'base', 'quote', 'turnover_24h', 'volume_24h'];
  const newest = { top_hits: { size: 1, sort: [{ slot: 'desc' }], _source: fields } };
  const day = { fromMs: asOfMs - DAY_MS, toMs: asOfMs + 1 };
  const [traded, recorded] = await Promise.all([
    bucketsOf<NewestBucket>(
      store,
      searchOf({ index: TICKER_INDICES, aggs: { all: byEverySeries({ newest }) } }, day),
    ),
    bucketsOf<Pick<NewestBucket, 'key'>>(
      store,
      searchOf({ index: CANDLE_INDICES, aggs: { all: byEverySeries({}) } }, { fromMs: 0, toMs: asOfMs + 1 }),
    ),
  ]);
  const choices = new Map<string, SeriesChoice>();
  for (const { key } of recorded) choices.set(formatSeries(key), { series: formatSeries(key) });
  for (const { key, newest: hit } of traded) choices.set(formatSeries(key), choiceOf(key, hit));
  const turnovers = usdTurnovers([traded.map(tradeIn)]);
  return [...choices.values()].sort(
    (a, b) =>
      Number(isArchived(a.series)) - Number(isArchived(b.series)) ||
      (turnovers.get(b.series) ?? -1) - (turnovers.get(a.series) ?? -1) ||
      (a.series < b.series ? -1 : 1),
  );
}

/** Average prices as `insights average` calculates them, and the sampling interval. */
export async function seriesSummary(
  store: ReportStore,
  series: string,
  asOfMs: number,
): Promise<SeriesSummary> {
  const of = parseSeries(series);
  const samplingIntervalMs = samplingIntervalOf(of, store.samplingIntervals);
  const averages: Record<string, AverageOver> = {};
  await Promise.all(
    AVERAGE_WINDOWS.map(async (over) => {
      const window = windowBefore(asOfMs, over);
      try {
        averages[over] = await averageOver(store.insights, of, window, samplingIntervalMs);
      } catch (error) {
        if (!(error instanceof NoAnswerError)) throw error;
      }
    }),
  );
  return { averages, samplingIntervalSeconds: samplingIntervalMs / 1_000 };
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
    correlationPicture(store, series, window, await seriesChoices(store, window.toMs)),
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
      return [name, await everyRow(store, query, search)];
    },
  );
  return { rows: Object.fromEntries(await Promise.all(answers)) };
}

/** All rows of an answer: the buckets of a composite aggregation come in pages. */
async function everyRow(
  store: ReportStore,
  query: Pick<ChartQuery, 'rows'>,
  { index, body }: Search,
): Promise<unknown[]> {
  const [, name = ''] = query.rows.split('.');
  const aggregation = (body.aggs as Record<string, { composite?: { size: number } }>)[name];
  const answer = await store.search(index, body);
  const rows = rowsOf(query, answer);
  const after = (answer.aggregations?.[name] as { after_key?: Json } | undefined)?.after_key;
  if (!aggregation?.composite || after === undefined || rows.length < aggregation.composite.size) return rows;
  const following = { ...aggregation, composite: { ...aggregation.composite, after } };
  const rest = await everyRow(store, query, { index, body: { ...body, aggs: { [name]: following } } });
  return [...rows, ...rest];
}

async function hoursWithCandle(store: ReportStore, window: Window, series: string): Promise<number> {
  const { index, body } = hoursSearch(window, series);
  const { aggregations } = await store.search(index, body);
  return (aggregations?.hours as { value: number } | undefined)?.value ?? 0;
}

/** Comparisons leave out options and, unless it is picked, the archive, as `insights` does. */
function marketFilters(series: string | undefined): Json[] {
  const archive = { term: { exchange: ARCHIVE } };
  const picked = series !== undefined && isArchived(series);
  return [{ bool: { must_not: [OPTIONS, ...(picked ? [] : [archive])] } }];
}

async function bucketsOf<B>(store: ReportStore, search: Search): Promise<B[]> {
  return (await everyRow(store, { rows: 'aggregations.all.buckets' }, search)) as B[];
}

function tradeIn({ key, newest }: NewestBucket): Trade {
  const tick = newest.hits.hits[0]?._source as unknown as Parameters<typeof tradeOfTick>[0];
  return tradeOfTick({ ...tick, ...key });
}

function choiceOf(key: NewestBucket['key'], { hits }: NewestBucket['newest']): SeriesChoice {
  const series = formatSeries(key);
  const tick = hits.hits[0]?._source;
  if (!tick) return { series };
  const optional = (name: string, field: string) =>
    typeof tick[field] === 'number' ? { [name]: tick[field] } : {};
  return {
    series,
    ...(typeof tick.base === 'string' ? { base: tick.base } : {}),
    newest: {
      slotMs: Date.parse(String(tick.slot)),
      price: Number(tick.last_price),
      ...optional('change24h', 'price_24h_pcnt'),
      ...optional('high24h', 'high_price_24h'),
      ...optional('low24h', 'low_price_24h'),
    },
  };
}
