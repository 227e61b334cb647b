import { formatMarket } from '../../market/series.ts';
import type { CoveredMarket } from '../covered-markets.ts';
import { type AnswersDiffer, askBoth, type Engines } from './ask-both.ts';
import { type AskedOfBoth, commonWindow, questionsAbout, questionsOf } from './questions.ts';

/** Questions to ask together: about a market, or about one of its series. */
export interface Step {
  about: string;
  within: { from: string; to: string };
  questions: AskedOfBoth[];
}

/** What can be compared, and what cannot. */
export interface Comparison {
  steps: Step[];
  /** The time that is compared of each market. */
  compared: Record<string, { from: string; to: string }>;
  /** Markets that only one of the two has, with the reason why they are not compared. */
  notCompared: string[];
}

/** @param exchange only this one; all by default */
export function comparisonOf(
  index: readonly CoveredMarket[],
  lake: readonly CoveredMarket[],
  exchange?: string,
): Comparison {
  const comparison: Comparison = { steps: [], compared: {}, notCompared: [] };
  const isAsked = (market: CoveredMarket) => exchange === undefined || market.exchange === exchange;
  const inLake = new Map(lake.filter(isAsked).map((market) => [formatMarket(market), market]));
  for (const ofIndex of index.filter(isAsked)) {
    const market = formatMarket(ofIndex);
    const ofLake = inLake.get(market);
    inLake.delete(market);
    if (!ofLake) {
      comparison.notCompared.push(`${market}: no candles of it are in Parquet files yet ("npm run compact")`);
      continue;
    }
    const within = commonWindow(ofIndex, ofLake);
    const series = [...new Set([...ofIndex.series, ...ofLake.series])].sort();
    comparison.compared[market] = within;
    comparison.steps.push({ about: market, within, questions: questionsAbout({ ...ofIndex, series }) });
    for (const one of series) comparison.steps.push({ about: one, within, questions: questionsOf(one) });
  }
  for (const market of inLake.keys()) {
    comparison.notCompared.push(
      `${market}: the index has no candles of it ("npm run rebuild" makes them from the lake)`,
    );
  }
  return comparison;
}

export async function compareStep(engines: Engines, { questions, within }: Step): Promise<AnswersDiffer[]> {
  const differences: AnswersDiffer[] = [];
  for (const asked of questions) differences.push(...(await askBoth(engines, asked, within)));
  return differences;
}
