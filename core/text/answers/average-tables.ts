import type { AverageOver } from '../../insights/average.ts';
import { PROFILE_AVERAGES } from '../../insights/profile.ts';
import type { Answers } from '../../insights/question.ts';
import { formatCount, formatPercent } from '../format.ts';
import { type AnswerTable, sideBySide } from './answer-table.ts';
import { sourcesText } from './trust-words.ts';
import { NONE, pricesText, shareText, timeText } from './words.ts';

type AverageAnswer = Answers['average'];

/** What the prices of each series were, one below the other. */
export function averageTable(answers: readonly AverageAnswer[]): AnswerTable {
  return sideBySide(
    answers.map((answer) => ({ ...answer, text: pricesText(answer, pricesOf(answer)) })),
    [
      ['average', (one) => one.text(one.mean)],
      ['weighted by volume', (one) => vwapText(one, one.text)],
      ['median', (one) => one.text(one.priceQuantiles[50] as number)],
      ['half of the hours', (one) => rangeText(one, one.text, 25, 75)],
      ['90 % of the hours', (one) => rangeText(one, one.text, 5, 95)],
      ['lowest', (one) => one.text(one.min)],
      ['highest', (one) => one.text(one.max)],
      ['first price', (one) => one.text(one.first)],
      ['last price', (one) => one.text(one.last)],
      ['change', (one) => formatPercent(one.change)],
      ['hours below the last price', (one) => shareText(one.shareBelowLast)],
      ['bought every hour', (one) => one.text(one.dca.hourly)],
      ['bought every day', (one) => one.text(one.dca.daily)],
      ['bought every week', (one) => one.text(one.dca.weekly)],
      ['hours with data', (one) => `${hoursText(one.hours)} of ${hoursText(one.expectedHours)}`],
      ['coverage', (one) => shareText(one.coverage)],
      ['longest gap', (one) => timeText(one.longestGapHours)],
      ['stale', (one) => timeText(one.staleHours)],
      ['made of', sourcesText],
    ],
  );
}

/** The averages of a profile, by their windows. */
export function averagesTable({ quote, averages }: Answers['profile']): AnswerTable {
  const prices = PROFILE_AVERAGES.flatMap((over) => {
    const one = averages[over];
    return one === null ? [] : [one.mean, one.min, one.max];
  });
  const text = pricesText({ quote }, prices);
  return {
    head: ['over', 'average', 'lowest', 'highest', 'change', 'data'],
    rows: PROFILE_AVERAGES.map((over) => {
      const one = averages[over];
      if (one === null) return [over, NONE, NONE, NONE, NONE, shareText(0)];
      const row = [one.mean, one.min, one.max].map(text);
      return [over, ...row, formatPercent(one.change), shareText(one.coverage)];
    }),
  };
}

/** The prices that appear next to an average. */
export function pricesOf({ mean, min, max, first, last, priceQuantiles, vwap, dca }: AverageOver): number[] {
  const paid = [...Object.values(dca), ...(vwap ? [vwap.price] : [])];
  return [mean, min, max, first, last, ...Object.values(priceQuantiles), ...paid];
}

function vwapText({ vwap }: AverageAnswer, text: (price: number) => string): string {
  if (vwap === null) return NONE;
  const part = vwap.volumeCoverage < 1 ? ` (${shareText(vwap.volumeCoverage)} of the hours)` : '';
  return `${text(vwap.price)}${part}`;
}

function rangeText(
  { priceQuantiles }: AverageAnswer,
  text: (price: number) => string,
  from: number,
  to: number,
): string {
  return [from, to].map((percent) => text(priceQuantiles[percent] as number)).join(' to ');
}

function hoursText(hours: number): string {
  return formatCount(Number(hours.toFixed(2)));
}
