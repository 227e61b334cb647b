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
/** How many series of a market are correlated. */
const CORRELATED = 5;

/** The questions about a market as a whole. */
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

/** The questions about each series. */
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

/** The percents on either side of each estimated one. @param samples how many ticks the estimate is from */
export function enclosing(samples: number): number[] {
  const margin = marginOf(samples);
  return [...new Set(DEFAULT_PERCENTS.flatMap((percent) => [percent - margin, percent + margin]))]
    .map((percent) => Math.min(100, Math.max(0, percent)))
    .sort((a, b) => a - b);
}

/**
 * By how many percentage points an estimate may be off: one, plus half a rank each way for how ranks are
 * counted.
 */
export function marginOf(samples: number): number {
  return 1 + 100 / samples;
}

/** The time that both engines cover of a market: up to the last candle of whichever is further behind. */
export function commonWindow(...markets: readonly Pick<CoveredMarket, 'to'>[]): { from: string; to: string } {
  const toMs = Math.min(...markets.map(({ to }) => Date.parse(to)));
  return { from: new Date(0).toISOString(), to: new Date(toMs).toISOString() };
}
