import * as z from 'zod';
import { type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import { CATEGORIES, formatSeries, type Series, SYMBOL_PATTERN } from '../market/series.ts';
import { type Window, windowOf } from '../market/window.ts';
import { averageOver } from './average.ts';
import { compareOne, type SeriesComparison } from './compare.ts';
import { noDataOf } from './errors.ts';
import { ALL_TIME, loadHours } from './history.ts';
import { type KnownSeries, knownSeries } from './known-series.ts';
import { type MovesOver, movesOver } from './moves.ts';
import { changePercentiles, type PercentilesOver } from './percentiles.ts';
import type { InsightStores, SeriesFacts } from './ports.ts';
import { resolveSeries } from './resolve.ts';
import type { AverageOver } from './totals.ts';
import { mostVolatile, type VolatileOver } from './volatile.ts';

/** How far back a question looks that does not say. */
export const DEFAULT_OVER = {
  average: '24h',
  moves: '90d',
  percentiles: '7d',
  volatile: '7d',
  compare: '7d',
} as const;
export const DEFAULT_THRESHOLDS = [0.01, 0.05, 0.1];
export const DEFAULT_PERCENTS = [1, 5, 25, 50, 75, 95, 99];
export const DEFAULT_TOP = 10;

const name = z.string().regex(SYMBOL_PATTERN, 'expected a symbol such as BTCUSDT');
const scope = {
  exchange: z.string().min(1).optional(),
  category: z.enum(CATEGORIES).optional(),
};
const window = {
  over: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  at: z.string().optional(),
};
const thresholds = z
  .array(z.number().positive())
  .min(1)
  .max(20)
  .default([...DEFAULT_THRESHOLDS]);
const percents = z
  .array(z.number().min(0).max(100))
  .min(1)
  .max(50)
  .default([...DEFAULT_PERCENTS]);
const top = z.number().int().min(1).max(10_000).default(DEFAULT_TOP);

/** A question, as the insights function takes it. Fractions are fractions: 1 % is 0.01. */
export const questionSchema = z.discriminatedUnion('question', [
  z.strictObject({ question: z.literal('average'), symbol: name, ...scope, ...window }),
  z.strictObject({ question: z.literal('moves'), symbol: name, thresholds, ...scope, ...window }),
  z.strictObject({
    question: z.literal('percentiles'),
    symbol: name.optional(),
    top,
    percents,
    ...scope,
    ...window,
  }),
  z.strictObject({ question: z.literal('volatile'), top, ...scope, ...window }),
  z.strictObject({
    question: z.literal('compare'),
    symbols: z.array(name).min(1).max(20),
    thresholds,
    percents,
    ...scope,
    ...window,
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
  volatile: VolatileOver;
  compare: { series: (AnsweredSeries & SeriesComparison)[] };
  series: { series: KnownSeries[] };
}

/**
 * Answers a question.
 * @param nowMs where a window ends that does not say, epoch ms
 * @throws NoAnswerError {InvalidInputError}
 */
export async function answer(
  question: Question,
  nowMs: number,
  stores: InsightStores,
  samplingIntervals: SamplingIntervals,
): Promise<Answers[keyof Answers]> {
  if (question.question === 'series') return knownSeries(stores.market, question);
  const asked = windowOf(question, nowMs, DEFAULT_OVER[question.question]);
  switch (question.question) {
    case 'average': {
      const series = await resolveSeries(question.symbol, question, stores.catalogue);
      const samplingIntervalMs = samplingIntervalOf(series, samplingIntervals);
      return {
        ...(await answeredSeries(series, stores.series)),
        ...(await averageOver(stores.series, series, asked, samplingIntervalMs)),
      };
    }
    case 'moves':
      return answerMoves(question, asked, stores, samplingIntervals);
    case 'percentiles': {
      const which =
        question.symbol === undefined
          ? { scope: question, top: question.top }
          : { series: await resolveSeries(question.symbol, question, stores.catalogue) };
      return changePercentiles(stores.changes, which, asked, question.percents);
    }
    case 'volatile':
      return mostVolatile(stores.market, question, asked, question.top);
    case 'compare':
      return answerCompare(question, asked, stores, samplingIntervals);
  }
}

async function answerMoves(
  question: Extract<Question, { question: 'moves' }>,
  asked: Window,
  stores: InsightStores,
  samplingIntervals: SamplingIntervals,
): Promise<Answers['moves']> {
  const series = await resolveSeries(question.symbol, question, stores.catalogue);
  const samplingIntervalMs = samplingIntervalOf(series, samplingIntervals);
  const moves = movesOver(
    await loadHours(stores.series, series, ALL_TIME),
    asked,
    question.thresholds,
    samplingIntervalMs,
  );
  if (!moves) throw noDataOf(series, asked, await stores.series.span(series));
  return { ...(await answeredSeries(series, stores.series)), ...moves };
}

async function answerCompare(
  question: Extract<Question, { question: 'compare' }>,
  asked: Window,
  stores: InsightStores,
  samplingIntervals: SamplingIntervals,
): Promise<Answers['compare']> {
  const { thresholds, percents } = question;
  const series: Answers['compare']['series'] = [];
  // One after the other: each reads the whole history of a series.
  for (const symbol of question.symbols) {
    const one = await resolveSeries(symbol, question, stores.catalogue);
    const samplingIntervalMs = samplingIntervalOf(one, samplingIntervals);
    series.push({
      ...(await answeredSeries(one, stores.series)),
      ...(await compareOne(stores, one, { window: asked, thresholds, percents, samplingIntervalMs })),
    });
  }
  return { series };
}

async function answeredSeries(series: Series, store: SeriesFacts): Promise<AnsweredSeries> {
  const quote = await store.quote(series);
  return { series: formatSeries(series), ...(quote === undefined ? {} : { quote }) };
}
