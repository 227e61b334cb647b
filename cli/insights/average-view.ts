import type { Answers } from '../../core/insights/question.ts';
import { formatCount, formatPercent } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { hoursText, sourcesText } from './trust-view.ts';
import { NONE, priceText, shareText } from './words.ts';

type AverageAnswer = Answers['average'];

/** A row for each value, a column for each series. */
export function sideBySide<T extends { series: string }>(
  items: readonly T[],
  rows: [title: string, cell: (item: T) => string][],
): string {
  const head = items.length === 1 ? ['', ''] : ['', ...items.map(({ series }) => series)];
  return textTable(
    head,
    rows.map(([title, cell]) => [title, ...items.map(cell)]),
  );
}

export function averageTable(answers: readonly AverageAnswer[]): string {
  const countText = (hours: number) => hours.toLocaleString('en-US', { maximumFractionDigits: 2 });
  const range = (one: AverageAnswer, from: number, to: number) =>
    [from, to].map((percent) => priceText(one, one.priceQuantiles[percent] as number)).join(' to ');
  return sideBySide(answers, [
    ['average', (one) => priceText(one, one.mean)],
    ['weighted by volume', vwapText],
    ['median', (one) => priceText(one, one.priceQuantiles[50] as number)],
    ['half of the hours', (one) => range(one, 25, 75)],
    ['90 % of the hours', (one) => range(one, 5, 95)],
    ['lowest', (one) => priceText(one, one.min)],
    ['highest', (one) => priceText(one, one.max)],
    ['first', (one) => priceText(one, one.first)],
    ['last', (one) => priceText(one, one.last)],
    ['change', (one) => formatPercent(one.change)],
    ['hours below last', (one) => shareText(one.shareBelowLast)],
    ['bought every hour', (one) => priceText(one, one.dca.hourly)],
    ['bought every day', (one) => priceText(one, one.dca.daily)],
    ['bought every week', (one) => priceText(one, one.dca.weekly)],
    ['hours with data', (one) => `${formatCount(one.hours)} of ${countText(one.expectedHours)}`],
    ['coverage', (one) => shareText(one.coverage)],
    ['longest gap', (one) => hoursText(one.longestGapHours)],
    ['stale', (one) => hoursText(one.staleHours)],
    ['made of', sourcesText],
  ]);
}

function vwapText(answer: AverageAnswer): string {
  const { vwap } = answer;
  if (vwap === null) return NONE;
  const part = vwap.volumeCoverage < 1 ? ` (${shareText(vwap.volumeCoverage)} of the hours)` : '';
  return `${priceText(answer, vwap.price)}${part}`;
}
