import type { Answers, Question } from '../../core/insights/question.ts';
import type { DirectionMoves } from '../../core/insights/window-moves.ts';
import { formatCount, formatPercent, formatPrice, formatTime } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { flatColumns } from './flat-columns.ts';
import { hoursText, rankingNotes, samplingText, sourcesText, trustNotes } from './trust-view.ts';

type Row = Record<string, string | number | null | undefined>;

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
      [windowLine(answer.series, answer), averageTable([answer]), ...notesOf(answer)].join('\n'),
    rows: (answer) => [flatColumns(answer)],
  },
  moves: {
    table: (answer) =>
      [windowLine(answer.series, answer), movesTables(answer), ...notesOf(answer)].join('\n'),
    rows: movesRows,
  },
  percentiles: { table: percentilesTable, rows: percentilesRows },
  volatile: { table: volatileTable, rows: volatileRows },
  compare: { table: compareTables, rows: compareRows },
  series: { table: seriesTable, rows: ({ series }) => series.map((one) => ({ ...one })) },
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

const NONE = '–';

function windowLine(title: string, { from, to }: { from: string; to: string }): string {
  return `${title}, ${formatTime(from)} to ${formatTime(to)}`;
}

/** What makes the answer less certain, after an empty line. */
function notesOf(answer: Parameters<typeof trustNotes>[0]): string[] {
  return paragraph(trustNotes(answer));
}

function paragraph(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

/** `9,183.12 USD`; without the currency if the answer does not know it. */
function priceText({ quote }: { quote?: string }, price: number): string {
  return quote === undefined ? formatPrice(price) : `${formatPrice(price)} ${quote}`;
}

function shareText(fraction: number | null): string {
  return fraction === null ? NONE : `${(fraction * 100).toFixed(1)} %`;
}

/** 0.07 × 100 is 7.000000000000001. */
function percentOf(fraction: number): string {
  return String(Number((fraction * 100).toPrecision(12)));
}

/** A row for each value, a column for each series. */
function sideBySide<T extends { series: string }>(
  items: readonly T[],
  rows: [title: string, cell: (item: T) => string][],
): string {
  const head = items.length === 1 ? ['', ''] : ['', ...items.map(({ series }) => series)];
  return textTable(
    head,
    rows.map(([title, cell]) => [title, ...items.map(cell)]),
  );
}

function averageTable(answers: readonly Answers['average'][]): string {
  const countText = (hours: number) => hours.toLocaleString('en-US', { maximumFractionDigits: 2 });
  return sideBySide(answers, [
    ['average', (one) => priceText(one, one.mean)],
    ['lowest', (one) => priceText(one, one.min)],
    ['highest', (one) => priceText(one, one.max)],
    ['first', (one) => priceText(one, one.first)],
    ['last', (one) => priceText(one, one.last)],
    ['change', (one) => formatPercent(one.change)],
    ['hours with data', (one) => `${formatCount(one.hours)} of ${countText(one.expectedHours)}`],
    ['coverage', (one) => shareText(one.coverage)],
    ['longest gap', (one) => hoursText(one.longestGapHours)],
    ['stale', (one) => hoursText(one.staleHours)],
    ['made of', sourcesText],
  ]);
}

function movesTables({ thresholds, ...answer }: Omit<Answers['moves'], 'series'>): string {
  const moves = thresholds.flatMap(({ threshold, rises, falls }) => [
    [`rises +${percentOf(threshold)} %`, ...moveCells(rises)],
    [`falls −${percentOf(threshold)} %`, ...moveCells(falls)],
  ]);
  const closes = thresholds.map(({ threshold, hoursUp, hoursDown, daysUp, daysDown }) => [
    `${percentOf(threshold)} %`,
    ...[hoursUp, hoursDown, daysUp, daysDown].map(formatCount),
  ]);
  return [
    textTable(['', 'count', 'per day', 'mean size', 'largest', 'last confirmed'], moves),
    '\n  Closes at least that far from the previous close of an hour or UTC day:',
    textTable(['', 'hours up', 'hours down', 'days up', 'days down'], closes),
    `\n  Data for ${shareText(answer.coverage)} of the window: ${sourcesText(answer)}.`,
    `  Sampled every ${samplingText(answer)}: moves that reverse in between are not seen.`,
  ].join('\n');
}

function moveCells({ count, perDay, meanSize, maxSize, last }: DirectionMoves): string[] {
  return [
    formatCount(count),
    perDay.toFixed(2),
    shareText(meanSize),
    shareText(maxSize),
    last === null ? NONE : formatTime(last.confirmed_time),
  ];
}

function movesRows({ thresholds, ...answer }: Answers['moves']): Row[] {
  return thresholds.flatMap(({ threshold, rises, falls, hoursUp, hoursDown, daysUp, daysDown }) => {
    const row = (direction: string, moves: DirectionMoves, hours: number, days: number): Row => ({
      ...flatColumns(answer),
      ...{ threshold, direction },
      ...{ count: moves.count, perDay: moves.perDay, meanSize: moves.meanSize, maxSize: moves.maxSize },
      ...{ last: moves.last?.confirmed_time, hours, days },
    });
    return [row('rise', rises, hoursUp, daysUp), row('fall', falls, hoursDown, daysDown)];
  });
}

function percentilesTable({ from, to, series, ...scope }: Answers['percentiles']): string {
  const percents = percentsOf(series[0]?.percentiles);
  const table = textTable(
    ['', 'samples', 'coverage', ...percents.map((percent) => `${percent} %`)],
    series.map((one) => [
      one.series,
      formatCount(one.samples),
      shareText(one.coverage),
      ...percents.map((percent) => formatPercent(one.percentiles[percent] as number)),
    ]),
  );
  const title = windowLine('Percentiles of the 24 h change', { from, to });
  return [title, table, ...paragraph(rankingNotes(scope, series))].join('\n');
}

/** Sorted, because objects list whole-number keys before others. */
function percentsOf(percentiles: Readonly<Record<string, number>> | null | undefined): string[] {
  return Object.keys(percentiles ?? {}).sort((a, b) => Number(a) - Number(b));
}

function percentilesRows({ from, to, series }: Answers['percentiles']): Row[] {
  return series.map(({ percentiles, ...one }) => ({ from, to, ...one, ...percentileColumns(percentiles) }));
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
          '  Moves are those in closed hours; moves that reverse between polls are not seen ("moves" shows the interval).',
        ]),
    ...rankingNotes(scope, series),
  ];
  return [windowLine('Most volatile', { from, to }), table, ...paragraph(notes)].join('\n');
}

function volatileRows({ from, to, series }: Answers['volatile']): Row[] {
  return series.map(({ moves, ...one }) => ({ from, to, ...one, ...moveColumns(moves) }));
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
  return [windows, averageTable(averages), '', rest, ...paragraph(notes)].join('\n');
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
    series.map(({ series: name, first, last, hours, coverage }) => [
      name,
      ...[first, last].map(formatTime),
      formatCount(hours),
      shareText(coverage),
    ]),
  );
}
