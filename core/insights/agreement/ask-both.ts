import type { Answers, QuestionInput } from '../question.ts';
import type { InsightsEvent, InsightsResponse } from '../respond.ts';
import { type AnswerDifference, areClose, differencesOf } from './differences.ts';
import { type AskedOfBoth, enclosing, marginOf } from './questions.ts';

/** Answers questions from OpenSearch or from the lake. */
export type Engine = (event: InsightsEvent) => Promise<InsightsResponse>;

/** Two engines that should agree. */
export interface Engines {
  index: Engine;
  lake: Engine;
}

export interface AnswersDiffer extends AnswerDifference {
  question: QuestionInput;
}

/** A ranking is compared series by series: the order of equal values may depend on their last bits. */
function byName(answer: object): object {
  if (!('series' in answer) || !Array.isArray(answer.series)) return answer;
  if (!answer.series.every((each) => typeof each?.series === 'string')) return answer;
  return {
    ...answer,
    series: Object.fromEntries(answer.series.map(({ series, ...rest }) => [series, rest])),
  };
}

/**
 * Asks both engines a question about a time that both cover. @param within that time; its end is their `now`
 * @returns how their answers differ
 */
export async function askBoth(
  engines: Engines,
  { question, isEstimated = false }: AskedOfBoth,
  within: { from: string; to: string },
): Promise<AnswersDiffer[]> {
  const event: InsightsEvent = { ...question, now: within.to, within };
  const [index, lake] = await Promise.all([engines.index(event), engines.lake(event)]);
  const named = (differences: AnswerDifference[]) => differences.map((each) => ({ question, ...each }));
  if (index.kind !== 'answer' || lake.kind !== 'answer') {
    const said = (of: InsightsResponse) => (of.kind === 'answer' ? 'an answer' : of.message);
    return said(index) === said(lake) ? [] : named([{ field: '', index: said(index), lake: said(lake) }]);
  }
  if (!isEstimated) return named(differencesOf(byName(index.answer), byName(lake.answer)));
  const bounds = await enclosingValues(engines.lake, event, lake.answer as Answers['percentiles']);
  return named(
    differencesOf(byName(index.answer), byName(lake.answer), (field, ofIndex, ofLake) => {
      const percent = /\.percentiles\.([\d.]+)$/.exec(field)?.[1];
      return percent === undefined ? areClose(field, ofIndex, ofLake) : bounds(Number(percent), ofIndex);
    }),
  );
}

/** Whether an estimate of a percentile is between the values, in the lake, of percents close to it. */
async function enclosingValues(
  lake: Engine,
  event: InsightsEvent,
  { series: [first] }: Answers['percentiles'],
) {
  const samples = first?.samples ?? 1;
  const asked = { ...event, percents: enclosing(samples) } as InsightsEvent;
  const response = await lake(asked);
  const values =
    response.kind === 'answer'
      ? (response.answer as Answers['percentiles']).series[0]?.percentiles
      : undefined;
  const valueAt = (percent: number) => values?.[Math.min(100, Math.max(0, percent))] ?? Number.NaN;
  return (percent: number, estimate: number) => {
    const [low, high] = [valueAt(percent - marginOf(samples)), valueAt(percent + marginOf(samples))];
    return (
      (estimate >= low && estimate <= high) || areClose('', estimate, low) || areClose('', estimate, high)
    );
  };
}
