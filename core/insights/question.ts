import * as z from 'zod';
import type { CandleSeries } from '../market/candle.ts';
import { InvalidInputError } from '../market/invalid-input.ts';
import { type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import { CATEGORIES, formatSeries, type Series, SYMBOL_PATTERN } from '../market/series.ts';
import { type Window, windowOf } from '../market/window.ts';
import { type AverageOver, averageOver } from './average.ts';
import { type ReturnsOver, returnsOver } from './calendar-returns.ts';
import { compareOne, type SeriesComparison } from './compare.ts';
import { correlationOver, type TrustedCorrelation } from './correlate.ts';
import { type DrawdownOver, drawdownOver } from './drawdown.ts';
import { type KnownSeries, knownSeries } from './known-series.ts';
import { type MovesOver, movesOver } from './moves.ts';
import { changePercentiles, changePercentilesFromCandles, type PercentilesOver } from './percentiles.ts';
import type { InsightStores } from './ports.ts';
import { type Profile, profileOf } from './profile.ts';
import { resolveSeries } from './resolve.ts';
import { type Horizon, parseHorizon } from './statistics/horizons.ts';
import { PERIODS } from './statistics/period-returns.ts';
import { mostVolatile } from './volatile.ts';
import { type DetailedVolatileOver, withCandleVolatility } from './volatile-details.ts';

/** How far back a question looks by default. */
export const DEFAULT_OVER = {
  average: '24h',
  moves: '90d',
  percentiles: '7d',
  volatile: '7d',
  compare: '7d',
  drawdown: '1y',
  correlate: '90d',
  profile: '1y',
} as const;
/** For `returns`, by period. */
export const DEFAULT_RETURNS_OVER = { day: '30d', month: '1y', quarter: '2y', year: '5y' } as const;
export const DEFAULT_THRESHOLDS = [0.01, 0.05, 0.1];
export const DEFAULT_PERCENTS = [1, 5, 25, 50, 75, 95, 99];
export const DEFAULT_TOP = 10;
/** For `profile`; `moves` has none unless asked for. */
export const DEFAULT_HORIZONS = ['1h', '4h', '24h', '7d'];

const name = z.string().regex(SYMBOL_PATTERN, 'expected a symbol such as BTCUSDT');
const scope = { exchange: z.string().min(1).optional(), category: z.enum(CATEGORIES).optional() };
const scopeAndWindow = {
  ...scope,
  over: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  at: z.string().optional(),
};
const thresholds = z.array(z.number().positive()).min(1).max(20).default(DEFAULT_THRESHOLDS);
const percents = z.array(z.number().min(0).max(100)).min(1).max(50).default(DEFAULT_PERCENTS);
const ranking = {
  top: z.number().int().min(1).max(10_000).default(DEFAULT_TOP),
  minCoverage: z.number().min(0).max(1).optional(),
  minTurnover: z.number().nonnegative().optional(),
  includeEnded: z.boolean().default(false),
};
/** Durations of whole hours, `4h`. */
const horizon = z.string().transform((text, context): Horizon => {
  try {
    return parseHorizon(text);
  } catch (error) {
    context.addIssue((error as Error).message);
    return z.NEVER;
  }
});
const horizons = (defaults: string[]) => z.array(horizon).max(20).prefault(defaults);

/** A question to the insights function. 1 % is 0.01. */
export const questionSchema = z.discriminatedUnion('question', [
  z.strictObject({ question: z.literal('average'), symbol: name, ...scopeAndWindow }),
  z.strictObject({
    question: z.literal('moves'),
    symbol: name,
    thresholds,
    horizons: horizons([]),
    ...scopeAndWindow,
  }),
  z.strictObject({
    question: z.literal('percentiles'),
    symbol: name.optional(),
    ...ranking,
    percents,
    /** From the closes of candles instead of ticks; needs one symbol. */
    fromCandles: z.boolean().default(false),
    ...scopeAndWindow,
  }),
  z.strictObject({ question: z.literal('volatile'), ...ranking, ...scopeAndWindow }),
  z.strictObject({
    question: z.literal('compare'),
    symbols: z.array(name).min(1).max(20),
    thresholds,
    percents,
    ...scopeAndWindow,
  }),
  z.strictObject({ question: z.literal('drawdown'), symbol: name, ...scopeAndWindow }),
  z.strictObject({
    question: z.literal('returns'),
    symbol: name,
    by: z.enum(PERIODS).default('month'),
    ...scopeAndWindow,
  }),
  z.strictObject({
    question: z.literal('correlate'),
    symbols: z.array(name).min(2, 'expected at least two symbols').max(20),
    ...scopeAndWindow,
  }),
  z.strictObject({
    question: z.literal('profile'),
    symbol: name,
    thresholds,
    percents,
    horizons: horizons(DEFAULT_HORIZONS),
    ...scopeAndWindow,
  }),
  z.strictObject({ question: z.literal('series'), ...scope }),
]);

export type Question = z.output<typeof questionSchema>;
/** A question before defaults are filled in. */
export type QuestionInput = z.input<typeof questionSchema>;

/** The series that a question was answered for. */
interface AnsweredSeries {
  /** `exchange:category:symbol` */
  series: string;
  /** The currency of its prices; left out if no candle or tick has one. */
  quote?: string;
}

/** The answer to each question: one JSON object. Times are ISO 8601 UTC. */
export interface Answers {
  average: AnsweredSeries & AverageOver;
  moves: AnsweredSeries & MovesOver;
  percentiles: PercentilesOver;
  volatile: DetailedVolatileOver;
  compare: { series: (AnsweredSeries & SeriesComparison)[] };
  drawdown: AnsweredSeries & DrawdownOver;
  returns: AnsweredSeries & ReturnsOver;
  correlate: TrustedCorrelation;
  profile: AnsweredSeries & Profile;
  series: { series: KnownSeries[] };
}

/**
 * Answers a question.
 * @param nowMs where windows end by default, epoch ms
 * @throws NoAnswerError {InvalidInputError}
 */
export async function answer(
  question: Question,
  nowMs: number,
  stores: InsightStores,
  samplingIntervals: SamplingIntervals,
): Promise<Answers[keyof Answers]> {
  if (question.question === 'series') return knownSeries(stores.market, question, stores.listings);
  const window = askedWindow(question, nowMs);
  const ofOne = async <A>(
    symbol: string,
    ask: (series: Series, samplingIntervalMs: number) => Promise<A>,
  ) => {
    const series = await resolveSeries(symbol, question, stores.catalogue);
    const [answered, quote] = await Promise.all([
      ask(series, samplingIntervalOf(series, samplingIntervals)),
      stores.series.quote(series),
    ]);
    return { series: formatSeries(series), ...(quote === undefined ? {} : { quote }), ...answered };
  };
  switch (question.question) {
    case 'average':
      return ofOne(question.symbol, (series, samplingIntervalMs) =>
        averageOver(stores.series, series, window, samplingIntervalMs),
      );
    case 'moves':
      return ofOne(question.symbol, (series, samplingIntervalMs) =>
        movesOver(stores.series, series, window, { ...question, samplingIntervalMs }),
      );
    case 'percentiles':
      return percentilesOver(question, window, stores, samplingIntervals);
    case 'volatile':
      return withCandleVolatility(
        stores.series,
        await mostVolatile(stores.market, question, window, question),
        window,
        samplingIntervals,
      );
    case 'compare': {
      const series: Answers['compare']['series'] = [];
      // One after the other, because each reads the whole history of a series.
      for (const symbol of question.symbols) {
        const compared = ofOne(symbol, (one, samplingIntervalMs) =>
          compareOne(stores, one, window, { ...question, samplingIntervalMs }),
        );
        series.push(await compared);
      }
      return { series };
    }
    case 'drawdown':
      return ofOne(question.symbol, (series, samplingIntervalMs) =>
        drawdownOver(stores.series, series, window, samplingIntervalMs),
      );
    case 'returns':
      return ofOne(question.symbol, (series, samplingIntervalMs) =>
        returnsOver(stores.series, series, window, question.by, samplingIntervalMs),
      );
    case 'correlate': {
      const all: CandleSeries[] = [];
      for (const symbol of question.symbols) {
        all.push(await resolveSeries(symbol, question, stores.catalogue));
      }
      return correlationOver(stores.series, all, window, samplingIntervals);
    }
    case 'profile':
      return ofOne(question.symbol, (series, samplingIntervalMs) =>
        profileOf(stores.series, series, window, { ...question, samplingIntervalMs }),
      );
  }
}

async function percentilesOver(
  question: Extract<Question, { question: 'percentiles' }>,
  window: Window,
  stores: InsightStores,
  samplingIntervals: SamplingIntervals,
): Promise<PercentilesOver> {
  const { symbol, percents, fromCandles } = question;
  const series = symbol === undefined ? undefined : await resolveSeries(symbol, question, stores.catalogue);
  if (!fromCandles) {
    const which = series ? { series } : { scope: question, ...question };
    return changePercentiles(stores, which, window, percents, samplingIntervals);
  }
  if (!series) throw new InvalidInputError('Percentiles from candles are for one series: name a symbol.');
  const intervalMs = samplingIntervalOf(series, samplingIntervals);
  return changePercentilesFromCandles(stores.series, series, window, percents, intervalMs);
}

/** The window that a question asks for; `series` has none. @throws InvalidInputError */
export function askedWindow(question: Exclude<Question, { question: 'series' }>, nowMs: number): Window {
  const defaultOver =
    question.question === 'returns' ? DEFAULT_RETURNS_OVER[question.by] : DEFAULT_OVER[question.question];
  return windowOf(question, nowMs, defaultOver);
}
