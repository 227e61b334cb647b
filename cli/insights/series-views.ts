import type { Answers } from '../../core/insights/question.ts';
import type { Drawdown, Drawdowns } from '../../core/insights/statistics/drawdown.ts';
import type { PeriodReturns } from '../../core/insights/statistics/period-returns.ts';
import { formatCount, formatPercent, formatTime } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { samplingText, trustNotes } from './trust-view.ts';
import { NONE, priceText, type Row, shareText, timeText, windowLine } from './words.ts';

export function drawdownView(answer: Answers['drawdown']): string {
  const notes = trustNotes(answer);
  return [
    windowLine(answer.series, answer),
    drawdownTable(answer),
    ...(notes.length > 0 ? ['', ...notes] : []),
    `  Sampled every ${samplingText(answer)}: extremes in between are not seen.`,
  ].join('\n');
}

export function drawdownTable({
  quote,
  current,
  daysUnderWater,
  totalDaysUnderWater,
  worst,
}: Drawdowns & { quote?: string | undefined }): string {
  const now =
    current === 0
      ? '  The last price is the highest.'
      : `  The last price is ${(-current * 100).toFixed(2)} % below the highest, reached ${timeText(daysUnderWater * 24)} before.`;
  if (worst.length === 0) return now;
  const table = textTable(
    ['', 'from', 'on', 'to', 'on', 'recovered'],
    worst.map((one) => [
      formatPercent(one.fraction),
      priceText({ quote }, one.peakPrice),
      formatTime(one.peakTime),
      priceText({ quote }, one.troughPrice),
      formatTime(one.troughTime),
      one.recoveredTime === null ? 'not yet' : formatTime(one.recoveredTime),
    ]),
  );
  return `${table}\n\n${now}\n  Below a high for ${timeText(totalDaysUnderWater * 24)} in all.`;
}

export function drawdownRows({
  worst,
  series,
  from,
  to,
  coverage,
  current,
  daysUnderWater,
}: Answers['drawdown']): Row[] {
  const row = (one: Partial<Drawdown>, rank: number): Row => ({
    ...{ series, from, to, coverage, current, daysUnderWater, rank },
    ...one,
  });
  return worst.length === 0 ? [row({}, 0)] : worst.map((one, index) => row(one, index + 1));
}

export function returnsView(answer: Answers['returns']): string {
  const { series, by } = answer;
  return `${windowLine(`${series} by ${by}`, answer)}\n${returnsTable(answer, by)}`;
}

export function returnsTable(
  { periods, best, worst, positiveShare }: PeriodReturns,
  by: Answers['returns']['by'],
): string {
  const table = textTable(
    [by, 'return', 'data'],
    periods.map(({ start, return: change, coverage }) => [
      periodName(start, by),
      change === null ? NONE : formatPercent(change),
      shareText(coverage),
    ]),
  );
  if (best === null || worst === null) return table;
  const extremes = [best, worst].map((one) => `${formatPercent(one.return)} (${periodName(one.start, by)})`);
  return `${table}\n\n  Best ${extremes[0]}, worst ${extremes[1]}; ${shareText(positiveShare)} of them positive.`;
}

/** `2018-06-30`, `2018-06`, `2018 Q2` or `2018`. */
function periodName(start: string, by: Answers['returns']['by']): string {
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

export function returnsRows({ series, from, to, by, periods }: Answers['returns']): Row[] {
  return periods.map((period) => ({ series, from, to, by, ...period }));
}

export function correlateView(answer: Answers['correlate']): string {
  const { series, days, pearson, spearman, beta } = answer;
  const number = (value: number | null | undefined) => value?.toFixed(2) ?? NONE;
  const matrix = (title: string, rows: readonly (readonly (number | null)[])[]) =>
    textTable(
      [title, ...series],
      series.map((name, row) => [name, ...(rows[row] ?? []).map(number)]),
    );
  const betas = textTable(
    [`moves with 1 % of ${series[0]}`, ''],
    series.slice(1).map((name, index) => [name, `${number(beta[index + 1])} %`]),
  );
  return [
    windowLine('Daily returns', answer),
    matrix('correlation', pearson),
    '',
    matrix('of the ranks', spearman),
    '',
    betas,
    '',
    `  From ${formatCount(days)} days on which all of them have a return.`,
  ].join('\n');
}

export function correlateRows({
  from,
  to,
  days,
  series,
  pearson,
  spearman,
  beta,
}: Answers['correlate']): Row[] {
  return series.flatMap((name, row) =>
    series.map((other, column) => ({
      ...{ from, to, days, series: name, other },
      pearson: pearson[row]?.[column],
      spearman: spearman[row]?.[column],
      betaToFirst: beta[row],
    })),
  );
}
