import type { Answers } from '../../insights/question.ts';
import type { DirectionMoves } from '../../insights/window-moves.ts';
import { formatCount, formatPercent, formatTime } from '../format.ts';
import { pricesOf } from './average-tables.ts';
import { periodName } from './series-tables.ts';
import { samplingText, sourcesText } from './trust-words.ts';
import { percentOf, pricesText, shareText, timeText } from './words.ts';

type Profile = Answers['profile'];

/** What a currency cost, in sentences. */
export function costFacts({ average: one, quote }: Profile): string[] {
  const price = pricesText({ quote }, pricesOf(one));
  const quantile = (percent: number) => price(one.priceQuantiles[percent] as number);
  return [
    `It cost ${price(one.mean)} on average: in half of the hours ${quantile(25)} to ${quantile(75)}, in 90 % of them ${quantile(5)} to ${quantile(95)}.`,
    `It began at ${price(one.first)} and ended at ${price(one.last)} (${formatPercent(one.change)}), between ${price(one.min)} and ${price(one.max)}.`,
    `Is it cheap? ${shareText(one.shareBelowLast)} of the hours were below the last price.`,
    `Bought for the same amount every day, a unit cost ${price(one.dca.daily)}; every hour ${price(one.dca.hourly)}, every week ${price(one.dca.weekly)}.`,
    one.vwap
      ? `Weighted by what was traded it cost ${price(one.vwap.price)}; ${shareText(one.vwap.volumeCoverage)} of the hours have a known volume.`
      : 'No hour has a known volume, so there is no volume-weighted price.',
  ];
}

/** How often and how far it moved, at each threshold. */
export function moveFacts({ moves }: Profile): string[] {
  return moves.thresholds.map(({ threshold, rises, falls }) => {
    const percent = percentOf(threshold);
    if (rises.count + falls.count === 0) return `It never moved by ${percent} %.`;
    const counts = `${timesText(rises.count)} by ${percent} % or more and fell ${timesText(falls.count)}`;
    const waits = [waitText('rise', rises), waitText('fall', falls)].filter(Boolean).join(', ');
    return `It rose ${counts}${waits && `: ${waits}`}. ${lastText(rises, falls)}`;
  });
}

function timesText(count: number): string {
  return count === 1 ? 'once' : `${formatCount(count)} times`;
}

function waitText(name: string, { medianWaitHours, meanSize }: DirectionMoves): string {
  if (medianWaitHours === null) return '';
  const size = meanSize === null ? '' : ` of ${shareText(meanSize)} on average`;
  return `a ${name}${size} every ${timeText(medianWaitHours)} (median)`;
}

function lastText(rises: DirectionMoves, falls: DirectionMoves): string {
  const isRise = (rises.hoursSinceLast ?? Infinity) < (falls.hoursSinceLast ?? Infinity);
  const { last, hoursSinceLast } = isRise ? rises : falls;
  if (last === null) return '';
  return `The last was a ${isRise ? 'rise' : 'fall'}, confirmed ${formatTime(last.confirmed_time)}, ${hoursSinceLast === 0 ? 'at the very end' : `${timeText(hoursSinceLast)} before the end`}.`;
}

/** How wildly it moved within a day, and over a year. */
export function volatilityFacts({ volatility, percentiles }: Profile): string[] {
  const { volatility: yearly, ewma, atrFraction, returns } = volatility;
  const [low, high] = [percentiles?.percentiles[5], percentiles?.percentiles[95]];
  return [
    yearly === null
      ? 'There are too few returns to compute its volatility.'
      : `Its volatility was ${shareText(yearly)} a year, from ${formatCount(returns)} returns${ewma === null ? '' : `; lately ${shareText(ewma)} (EWMA)`}.`,
    ...(atrFraction === null ? [] : [`A day spanned ${shareText(atrFraction)} of the price on average.`]),
    ...(low === undefined || high === undefined
      ? []
      : [
          `Within 24 hours it moved by ${formatPercent(low)} to ${formatPercent(high)} nine times out of ten.`,
        ]),
  ];
}

/** How far it fell from its highs. */
export function drawdownFacts({ drawdown, quote }: Profile): string[] {
  const { max, current, daysUnderWater, totalDaysUnderWater } = drawdown;
  if (max === null) return ['It never fell below an earlier price.'];
  const price = pricesText({ quote }, [max.peakPrice, max.troughPrice]);
  const recovered =
    max.recoveredTime === null
      ? 'It has not recovered.'
      : `It recovered by ${formatTime(max.recoveredTime)}.`;
  return [
    `Its worst fall was ${formatPercent(max.fraction)}, from ${price(max.peakPrice)} (${formatTime(max.peakTime)}) to ${price(max.troughPrice)} (${formatTime(max.troughTime)}). ${recovered}`,
    current === 0
      ? 'The last price is the highest.'
      : `The last price is ${shareText(-current)} below the highest, which was reached ${timeText(daysUnderWater * 24)} before.`,
    `It was below an earlier high for ${timeText(totalDaysUnderWater * 24)} in all.`,
  ];
}

export function monthFacts({ returns: { best, worst, positiveShare } }: Profile): string[] {
  if (best === null || worst === null) return ['No month has a month with data before it.'];
  const named = (one: { start: string; return: number }) =>
    `${periodName(one.start, 'month')} (${formatPercent(one.return)})`;
  return [
    `Its best month was ${named(best)}, its worst ${named(worst)}; ${shareText(positiveShare)} of the months were positive.`,
  ];
}

/** The data that the answer is computed from. */
export function trustFacts({ average }: Profile): string[] {
  const { hours, expectedHours, longestGapHours, staleHours } = average;
  return [
    `This rests on ${formatCount(Number(hours.toFixed(2)))} of ${formatCount(Number(expectedHours.toFixed(2)))} hours: ${sourcesText(average)}.`,
    longestGapHours === 0 ? 'There is no gap.' : `The longest gap is ${timeText(longestGapHours)}.`,
    ...(staleHours === 0 ? [] : [`In ${timeText(staleHours)} of them the price did not change at all.`]),
    `Prices are known every ${samplingText(average)}: what reversed in between was not seen.`,
  ];
}
