import type { CoveredMarket } from '../covered-markets.ts';
import { DEFAULT_HORIZONS, DEFAULT_PERCENTS, type QuestionInput } from '../question.ts';

/** How close two answers to a question have to be: see `differences`. */
export interface AskedOfBoth {
  question: QuestionInput;
  /** Percentiles of ticks, which OpenSearch estimates. */
  isEstimated?: boolean;
}

/** Every series of a market is in a ranking. */
const ALL = { top: 10_000, minCoverage: 0, includeEnded: true };
/** Whose daily returns are correlated. */
const CORRELATED = 5;

/** What is asked about a market as a whole. */
export function questionsAbout({ exchange, category, series }: CoveredMarket): AskedOfBoth[] {
  const market = { exchange, category };
  const some = series.slice(0, CORRELATED);
  return [
    { question: { question: 'series', ...market } },
    { question: { question: 'volatile', over: '7d', ...ALL, ...market } },
    { question: { question: 'volatile', over: '1y', ...ALL, ...market } },
    { question: { question: 'volatile', over: '30d', ...ALL, minTurnover: 1, ...market } },
    ...(some.length < 2
      ? []
      : [{ question: { question: 'correlate', symbols: some, over: '90d' } satisfies QuestionInput }]),
  ];
}

/** What is asked about each series. */
export function questionsOf(symbol: string): AskedOfBoth[] {
  return [
    { question: { question: 'average', symbol, over: '24h' } },
    { question: { question: 'average', symbol, over: '90d' } },
    { question: { question: 'average', symbol, over: '2y' } },
    { question: { question: 'moves', symbol, over: '90d', horizons: DEFAULT_HORIZONS } },
    { question: { question: 'drawdown', symbol, over: '1y' } },
    { question: { question: 'returns', symbol, by: 'day' } },
    { question: { question: 'percentiles', symbol, over: '90d', fromCandles: true } },
    { question: { question: 'percentiles', symbol, over: '24h' }, isEstimated: true },
    { question: { question: 'profile', symbol, over: '1y' } },
  ];
}

/** Percents that enclose those whose values are estimated. @param samples how many ticks they are of */
export function enclosing(samples: number): number[] {
  const margin = marginOf(samples);
  return [...new Set(DEFAULT_PERCENTS.flatMap((percent) => [percent - margin, percent + margin]))]
    .map((percent) => Math.min(100, Math.max(0, percent)))
    .sort((a, b) => a - b);
}

/** Points of a percent by which an estimate may miss: one, and for the way it counts ranks half a rank each way. */
export function marginOf(samples: number): number {
  return 1 + 100 / samples;
}

/** The time that both engines know of a market: up to the last candle of whichever is further behind. */
export function commonWindow(...markets: readonly Pick<CoveredMarket, 'to'>[]): { from: string; to: string } {
  const toMs = Math.min(...markets.map(({ to }) => Date.parse(to)));
  return { from: new Date(0).toISOString(), to: new Date(toMs).toISOString() };
}
