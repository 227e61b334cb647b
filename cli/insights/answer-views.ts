import type { Answers, Question } from '../../core/insights/question.ts';
import { sideBySide } from '../../core/text/answers/answer-table.ts';
import { averageTable } from '../../core/text/answers/average-tables.ts';
import { rankingNotes, samplingText, trustNotes } from '../../core/text/answers/trust-words.ts';
import { NONE, percentOf, percentsOf, shareText, windowLine } from '../../core/text/answers/words.ts';
import { formatCount, formatPercent, formatTime } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { flatColumns } from './flat-columns.ts';
import { movesRows, movesView } from './moves-view.ts';
import { profileRows, profileView } from './profile-view.ts';
import {
  correlateRows,
  correlateView,
  drawdownRows,
  drawdownView,
  returnsRows,
  returnsView,
} from './series-views.ts';
import { paragraph, printed, type Row } from './words.ts';

/** How the answer to one question is shown. */
interface AnswerView<Answer> {
  /** For people; times are UTC and say so. */
  table(answer: Answer): string;
  /** One row for each series (and threshold and direction); the columns have the names of the JSON fields. */
  rows(answer: Answer): Row[];
}

const ANSWER_VIEWS: { [Q in Question['question']]: AnswerView<Answers[Q]> } = {
  average: {
    table: (answer) =>
      [
        windowLine(answer.series, answer),
        printed(averageTable([answer])),
        ...paragraph(trustNotes(answer)),
      ].join('\n'),
    rows: (answer) => [flatColumns(answer)],
  },
  moves: { table: movesView, rows: movesRows },
  percentiles: { table: percentilesTable, rows: percentilesRows },
  volatile: { table: volatileTable, rows: volatileRows },
  compare: { table: compareTables, rows: compareRows },
  drawdown: { table: drawdownView, rows: drawdownRows },
  returns: { table: returnsView, rows: returnsRows },
  correlate: { table: correlateView, rows: correlateRows },
  profile: { table: profileView, rows: profileRows },
  series: {
    table: seriesTable,
    rows: ({ series }) => series.map((one) => ({ ...one, ended: String(one.ended) })),
  },
};

/** For people. */
export function answerTable<Q extends Question['question']>(
  question: Q,
  answer: Answers[Question['question']],
): string {
  return ANSWER_VIEWS[question].table(answer as Answers[Q]);
}

/** For CSV. */
export function answerRows<Q extends Question['question']>(
  question: Q,
  answer: Answers[Question['question']],
): Row[] {
  return ANSWER_VIEWS[question].rows(answer as Answers[Q]);
}

function percentilesTable({ from, to, basis, series, ...scope }: Answers['percentiles']): string {
  const percents = percentsOf(series[0]?.percentiles);
  const table = textTable(
    ['', 'samples', 'worth', 'coverage', ...percents.map((percent) => `${percent} %`)],
    series.map((one) => [
      one.series,
      formatCount(one.samples),
      formatCount(Math.round(one.effectiveSamples)),
      shareText(one.coverage),
      ...percents.map((percent) => formatPercent(one.percentiles[percent] as number)),
    ]),
  );
  const title = `Percentiles of the 24 h change, from ${basis === 'ticks' ? 'ticks' : 'closes of candles'}`;
  const notes = [
    'Changes overlap: they are worth as many samples as there are days.',
    ...rankingNotes(scope, series),
  ];
  return [windowLine(title, { from, to }), table, ...paragraph(notes)].join('\n');
}

function percentilesRows({ from, to, basis, series }: Answers['percentiles']): Row[] {
  return series.map(({ percentiles, ...one }) => ({
    from,
    to,
    basis,
    ...flatColumns(one),
    ...percentileColumns(percentiles),
  }));
}

function percentileColumns(percentiles: Record<string, number> | null): Row {
  return Object.fromEntries(
    percentsOf(percentiles).map((percent) => [`p${percent}`, percentiles?.[percent]]),
  );
}

function volatileTable({ from, to, series, ...scope }: Answers['volatile']): string {
  const thresholds = [...new Set(series.flatMap(({ moves }) => moves.map(({ threshold }) => threshold)))];
  const table = textTable(
    [
      ...['', 'volatility a year', 'returns', 'high–low range', 'coverage'],
      ...thresholds.map((threshold) => `±${percentOf(threshold)} % moves`),
    ],
    series.map(({ series: name, volatility, returns, rangeFraction, coverage, moves }) => [
      name,
      shareText(volatility),
      formatCount(returns),
      ...[rangeFraction, coverage].map(shareText),
      ...thresholds.map((threshold) => {
        const { rises = 0, falls = 0 } = moves.find((each) => each.threshold === threshold) ?? {};
        return formatCount(rises + falls);
      }),
    ]),
  );
  const notes = [
    ...(thresholds.length === 0
      ? []
      : [
          'Moves are those in closed hours; moves that reverse between polls are not seen ("moves" shows the interval).',
        ]),
    ...rankingNotes(scope, series),
  ];
  return [
    windowLine('Most volatile', { from, to }),
    table,
    ...paragraph(estimates(series)),
    ...paragraph(notes),
  ].join('\n');
}

/** What the candles of the first series say beyond their closes. */
function estimates(series: Answers['volatile']['series']): string[] {
  const detailed = series.filter(({ realised }) => realised !== undefined);
  if (detailed.length === 0) return [];
  const table = textTable(
    ['', 'realised', 'EWMA', 'downside', 'Parkinson', 'Garman–Klass', 'Yang–Zhang', 'day’s range'],
    detailed.map((one) => [
      one.series,
      ...[
        one.realised,
        one.ewma,
        one.downside,
        one.parkinson,
        one.garmanKlass,
        one.yangZhang,
        one.atrFraction,
      ].map((value) => shareText(value ?? null)),
    ]),
  );
  return ['  Estimates from their candles, a year (the day’s range as it is):', table];
}

function volatileRows({ from, to, series }: Answers['volatile']): Row[] {
  return series.map(({ moves, ...one }) => ({ from, to, ...flatColumns(one), ...moveColumns(moves) }));
}

function moveColumns(moves: readonly { threshold: number; rises: number; falls: number }[]): Row {
  return Object.fromEntries(
    moves.flatMap(({ threshold, rises, falls }) => [
      [`rises_${percentOf(threshold)}_pcnt`, rises],
      [`falls_${percentOf(threshold)}_pcnt`, falls],
    ]),
  );
}

function compareTables({ series }: Answers['compare']): string {
  const averages = series.map(({ average, ...one }) => ({ ...one, ...average }));
  const windows = averages.map((one) => windowLine(one.series, one)).join('\n');
  type RowOf = [title: string, cell: (one: Answers['compare']['series'][number]) => string];
  const moves = (series[0]?.moves.thresholds ?? []).map(
    ({ threshold }, index): RowOf => [
      `rises / falls of ${percentOf(threshold)} %`,
      (one) => {
        const { rises, falls } = one.moves.thresholds[index] ?? {};
        return `${rises?.count ?? 0} / ${falls?.count ?? 0}`;
      },
    ],
  );
  const percentiles = percentsOf(series.find((one) => one.percentiles)?.percentiles).map(
    (percent): RowOf => [
      `24 h change, ${percent} % percentile`,
      (one) => (one.percentiles ? formatPercent(one.percentiles[percent] as number) : NONE),
    ],
  );
  const rest = sideBySide(series, [
    ['volatility a year', (one) => shareText(one.volatility)],
    ['from returns', (one) => formatCount(one.returns)],
    ['high–low range', (one) => shareText(one.rangeFraction)],
    ...moves,
    ['sampled every', (one) => samplingText(one.moves)],
    ...percentiles,
  ]);
  const notes = averages.flatMap((one) => trustNotes(one).map((note) => `${note} (${one.series})`));
  return [windows, printed(averageTable(averages)), '', printed(rest), ...paragraph(notes)].join('\n');
}

function compareRows({ series }: Answers['compare']): Row[] {
  return series.map(({ average, moves, percentiles, volatility, returns, rangeFraction, ...name }) => ({
    ...name,
    ...flatColumns(average),
    ...{ volatility, returns, rangeFraction },
    ...moveColumns(
      moves.thresholds.map(({ threshold, rises, falls }) => ({
        threshold,
        rises: rises.count,
        falls: falls.count,
      })),
    ),
    ...percentileColumns(percentiles),
  }));
}

function seriesTable({ series }: Answers['series']): string {
  return textTable(
    ['', 'first', 'last', 'hours', 'coverage'],
    series.map(({ series: name, first, last, listed, delisted, ended, hours, coverage }) => [
      name,
      `${formatTime(first)}${listed === undefined ? '' : ` (listed ${formatTime(listed)})`}`,
      `${formatTime(last)}${delisted === undefined ? (ended ? ' (ended)' : '') : ` (ended ${formatTime(delisted)})`}`,
      formatCount(hours),
      shareText(coverage),
    ]),
  );
}
