import type { Answers } from '../../insights/question.ts';
import type { Drawdowns } from '../../insights/statistics/drawdown.ts';
import type { PeriodReturns } from '../../insights/statistics/period-returns.ts';
import { formatCount, formatPercent, formatTime } from '../format.ts';
import type { AnswerTable } from './answer-table.ts';
import { NONE, percentsOf, pricesText, shareText, timeText } from './words.ts';

type By = Answers['returns']['by'];

/** The worst drawdowns, and where the price is now. */
export function drawdownTable(
  { current, daysUnderWater, totalDaysUnderWater, worst }: Drawdowns,
  quote: string | undefined,
): AnswerTable {
  const now =
    current === 0
      ? 'The last price is the highest.'
      : `The last price is ${shareText(-current)} below the highest, reached ${timeText(daysUnderWater * 24)} before.`;
  const price = pricesText(
    { quote },
    worst.flatMap((one) => [one.peakPrice, one.troughPrice]),
  );
  return {
    head: worst.length === 0 ? [] : ['', 'from', 'on', 'to', 'on', 'recovered'],
    rows: worst.map((one) => [
      formatPercent(one.fraction),
      price(one.peakPrice),
      formatTime(one.peakTime),
      price(one.troughPrice),
      formatTime(one.troughTime),
      one.recoveredTime === null ? 'not yet' : formatTime(one.recoveredTime),
    ]),
    notes:
      worst.length === 0 ? [now] : [now, `Below a high for ${timeText(totalDaysUnderWater * 24)} in all.`],
  };
}

export function returnsTable({ periods, best, worst, positiveShare }: PeriodReturns, by: By): AnswerTable {
  const extreme = (one: { start: string; return: number }) =>
    `${formatPercent(one.return)} (${periodName(one.start, by)})`;
  return {
    head: [by, 'return', 'data'],
    rows: periods.map(({ start, return: change, coverage }) => [
      periodName(start, by),
      change === null ? NONE : formatPercent(change),
      shareText(coverage),
    ]),
    notes:
      best === null || worst === null
        ? []
        : [`Best ${extreme(best)}, worst ${extreme(worst)}; ${shareText(positiveShare)} of them positive.`],
  };
}

/** `2018-06-30`, `2018-06`, `2018 Q2` or `2018`. */
export function periodName(start: string, by: By): string {
  switch (by) {
    case 'day':
      return start.slice(0, 10);
    case 'month':
      return start.slice(0, 7);
    case 'quarter':
      return `${start.slice(0, 4)} Q${(Number(start.slice(5, 7)) + 2) / 3}`;
    case 'year':
      return start.slice(0, 4);
  }
}

export function volatilityTable({ volatility: of }: Answers['profile']): AnswerTable {
  return {
    head: ['', ''],
    rows: [
      ['from returns', `${shareText(of.volatility)} (${formatCount(of.returns)} returns)`],
      ['realised', shareText(of.realised)],
      ['lately (EWMA)', shareText(of.ewma)],
      ['downwards only', shareText(of.downside)],
      ['from high and low (Parkinson)', shareText(of.parkinson)],
      ['from whole candles (Garman–Klass)', shareText(of.garmanKlass)],
      ['with jumps between them (Yang–Zhang)', shareText(of.yangZhang)],
      ['range of a day, of the price', shareText(of.atrFraction)],
      ['high–low range of the window', shareText(of.rangeFraction)],
    ],
  };
}

/** The percentiles of a profile. */
export function percentilesTable({ percentiles: found }: Answers['profile']): AnswerTable {
  if (found === null) return { head: [], rows: [], notes: ['No close has one 24 hours before it.'] };
  const percents = percentsOf(found.percentiles);
  const worth = formatCount(Math.round(found.effectiveSamples * found.coverage));
  return {
    head: percents.map((percent) => `${percent} %`),
    rows: [percents.map((percent) => formatPercent(found.percentiles[percent] as number))],
    left: [],
    notes: [
      `Percentiles of ${formatCount(found.samples)} changes that overlap: worth about ${worth} that do not.`,
    ],
  };
}
