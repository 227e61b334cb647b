import { correlationOfReturns, type DailyReturns, dailyReturns } from '../core/insights/correlate.ts';
import { NoAnswerError } from '../core/insights/errors.ts';
import { ALL_TIME, loadPaths } from '../core/insights/history.ts';
import type { SeriesStore } from '../core/insights/ports.ts';
import { explainedProfile, profileOfHours } from '../core/insights/profile.ts';
import { DEFAULT_HORIZONS, DEFAULT_PERCENTS, DEFAULT_THRESHOLDS } from '../core/insights/question.ts';
import { parseHorizon } from '../core/insights/statistics/horizons.ts';
import { Reasons } from '../core/insights/without-data.ts';
import { type SamplingIntervals, samplingIntervalOf } from '../core/market/sampling.ts';
import { formatSeries, parseSeries, type Series } from '../core/market/series.ts';
import { type Window, widened } from '../core/market/window.ts';
import { profileRows } from './profile-rows.ts';
import type { PictureAnswer } from './questions.ts';

/** A part of the page that the insights core answers, rather than a search of OpenSearch. */
export type ComputedAnswer = Pick<PictureAnswer, 'rows' | 'profile'>;

/**
 * The page about one series: the answer to the question `profile`, and the rows of its charts.
 * @param window ends now
 */
export async function profilePicture(
  store: { insights: SeriesStore; samplingIntervals: SamplingIntervals },
  name: string,
  window: Window,
): Promise<ComputedAnswer> {
  const series = parseSeries(name);
  const options = {
    thresholds: DEFAULT_THRESHOLDS,
    percents: DEFAULT_PERCENTS,
    horizons: DEFAULT_HORIZONS.map(parseHorizon),
    samplingIntervalMs: samplingIntervalOf(series, store.samplingIntervals),
  };
  const [hours, quote] = await Promise.all([
    loadPaths(store.insights, series, ALL_TIME),
    store.insights.quote(series),
  ]);
  const found = profileOfHours(hours, window, options);
  if (!found) return { rows: {} };
  const profile = await explainedProfile(found, hours, new Reasons(store.insights, series));
  return {
    profile: { series: name, ...(quote === undefined ? {} : { quote }), ...profile },
    rows: profileRows(hours, profile, widened(window)),
  };
}

/** A series and its currency, if that is known. */
interface CurrencySeries {
  series: string;
  base?: string;
}

/** As many as fit into a readable matrix. */
const MOST_COMPARED = 8;
/** How many are read to find them. */
const MOST_TRIED = 24;
/** A currency needs this share of the picked one's days, so that a new one does not cut the days of all. */
const LEAST_SHARE = 0.8;

/**
 * How a series moves together with those of the other currencies with the highest turnover.
 * @param choices by turnover
 */
export async function correlationPicture(
  { insights }: { insights: SeriesStore },
  name: string,
  window: Window,
  choices: readonly CurrencySeries[],
): Promise<ComputedAnswer> {
  const picked = parseSeries(name);
  const found: [Series, DailyReturns][] = [];
  for (const series of [picked, ...otherCurrencies(picked, choices).slice(0, MOST_TRIED)]) {
    if (found.length === MOST_COMPARED) break;
    const returns = await returnsOrNone(insights, series, window);
    const days = found[0]?.[1] ?? returns;
    const common = [...days.keys()].filter((day) => returns.has(day)).length;
    if (common < 2 || common < days.size * LEAST_SHARE) {
      if (found.length === 0) break;
      continue;
    }
    found.push([series, returns]);
  }
  if (found.length < 2) return { rows: {} };
  const all = found.map(([series]) => series);
  const answer = correlationOfReturns(
    all,
    found.map(([, returns]) => returns),
    window,
  );
  const pairs = all.flatMap((a, row) =>
    all.map((b, column) => ({
      row: a.symbol,
      column: b.symbol,
      ...{ rowOrder: row, columnOrder: column, days: answer.days },
      ...{ pearson: answer.pearson[row]?.[column], spearman: answer.spearman[row]?.[column] },
      beta: row === 0 ? answer.beta[column] : null,
    })),
  );
  return { rows: { pairs } };
}

async function returnsOrNone(store: SeriesStore, series: Series, window: Window): Promise<DailyReturns> {
  try {
    return await dailyReturns(store, series, window);
  } catch (error) {
    if (error instanceof NoAnswerError) return new Map();
    throw error;
  }
}

/** One series for each other currency: the first of each. */
function otherCurrencies(picked: Series, choices: readonly CurrencySeries[]): Series[] {
  const currencyOf = (series: string, base?: string) => base ?? parseSeries(series).symbol;
  const own = choices.find(({ series }) => series === formatSeries(picked));
  const seen = new Set([currencyOf(formatSeries(picked), own?.base)]);
  const others: Series[] = [];
  for (const { series, base } of choices) {
    const { exchange, category, symbol } = parseSeries(series);
    const isComparable =
      category !== 'option' && (exchange === 'archive') === (picked.exchange === 'archive');
    const currency = currencyOf(series, base);
    if (!isComparable || seen.has(currency)) continue;
    seen.add(currency);
    others.push({ exchange, category, symbol });
  }
  return others;
}
