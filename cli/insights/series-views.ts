import type { Answers } from '../../core/insights/question.ts';
import type { Drawdown } from '../../core/insights/statistics/drawdown.ts';
import { drawdownTable, returnsTable } from '../../core/text/answers/series-tables.ts';
import { samplingText, trustNotes } from '../../core/text/answers/trust-words.ts';
import { NONE, windowLine } from '../../core/text/answers/words.ts';
import { formatCount } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { indented, paragraph, printed, type Row } from './words.ts';

export function drawdownView(answer: Answers['drawdown']): string {
  return [
    windowLine(answer.series, answer),
    printed(drawdownTable(answer, answer.quote)),
    ...indented([`Sampled every ${samplingText(answer)}: extremes in between are not seen.`]),
    ...paragraph(trustNotes(answer)),
  ].join('\n');
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
  return [
    windowLine(`${series} by ${by}`, answer),
    printed(returnsTable(answer, by)),
    ...paragraph(trustNotes(answer)),
  ].join('\n');
}

export function returnsRows({ series, from, to, by, periods }: Answers['returns']): Row[] {
  return periods.map((period) => ({ series, from, to, by, ...period }));
}

export function correlateView(answer: Answers['correlate']): string {
  const { series, days, pearson, spearman, beta, trust } = answer;
  const notes = trust.flatMap((of, index) => trustNotes(of).map((note) => `${note} (${series[index]})`));
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
    ...indented([`From ${formatCount(days)} days on which all of them have a return.`, ...notes]),
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
