import type { ThresholdMoves } from '../core/insights/moves.ts';
import type { Answers, Question } from '../core/insights/question.ts';
import type { DirectionMoves } from '../core/insights/window-moves.ts';
import { formatCount, formatPercent, formatPrice, formatTime } from '../core/text/format.ts';
import { textTable } from '../core/text/text-table.ts';

type Row = Record<string, string | number | null | undefined>;

/** How the answer to one question is shown. */
interface AnswerView<Answer> {
  /** For people; times are UTC and say so. */
  table(answer: Answer): string;
  /** One row a series (and threshold and direction); the columns are named like the fields of the JSON. */
  rows(answer: Answer): Row[];
}

/** How each answer is shown. */
export const ANSWER_VIEWS: { [Q in Question['question']]: AnswerView<Answers[Q]> } = {
  average: {
    table: (answer) => `${windowLine(answer.series, answer)}\n${averageTable([answer])}`,
    rows: (answer) => [{ ...answer }],
  },
  moves: {
    table: (answer) => `${windowLine(answer.series, answer)}\n${movesTables(answer)}`,
    rows: movesRows,
  },
  percentiles: { table: percentilesTable, rows: percentilesRows },
  volatile: { table: volatileTable, rows: volatileRows },
  compare: { table: compareTables, rows: compareRows },
  series: { table: seriesTable, rows: ({ series }) => series.map((one) => ({ ...one })) },
};

const NONE = '–';

function windowLine(title: string, { from, to }: { from: string; to: string }): string {
  return `${title}, ${formatTime(from)} to ${formatTime(to)}`;
}

/** `9,183.12 USD`; without the currency if the answer does not know it. */
function priceText({ quote }: { quote?: string }, price: number): string {
  return quote === undefined ? formatPrice(price) : `${formatPrice(price)} ${quote}`;
}

function shareText(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}

function hoursText(hours: number): string {
  return hours.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/** The values of a column side by side; the first column names them. */
function sideBySide<T extends { series: string }>(
  items: readonly T[],
  rows: [string, (item: T) => string][],
): string {
  const table = textTable(items.length === 1 ? ['', ''] : ['', ...items.map(({ series }) => series)]);
  for (const [title, text] of rows) table.push([title, ...items.map(text)]);
  return table.toString();
}

function averageTable(answers: readonly Answers['average'][]): string {
  return sideBySide(answers, [
    ['average', (one) => priceText(one, one.mean)],
    ['lowest', (one) => priceText(one, one.min)],
    ['highest', (one) => priceText(one, one.max)],
    ['first', (one) => priceText(one, one.first)],
    ['last', (one) => priceText(one, one.last)],
    ['change', (one) => formatPercent(one.change)],
    ['hours with data', (one) => `${formatCount(one.hours)} of ${hoursText(one.expectedHours)}`],
    ['coverage', (one) => shareText(one.coverage)],
  ]);
}

const DIRECTIONS = [
  ['rises', '+'],
  ['falls', '−'],
] as const;

function movesTables({ thresholds, samplingIntervalSeconds }: Omit<Answers['moves'], 'series'>): string {
  const moves = textTable(['', 'count', 'per day', 'mean size', 'largest', 'last confirmed']);
  const closes = textTable(['', 'hours up', 'hours down', 'days up', 'days down']);
  for (const one of thresholds) {
    const percent = percentOf(one.threshold);
    for (const [name, sign] of DIRECTIONS)
      moves.push([`${name} ${sign}${percent} %`, ...moveCells(one[name])]);
    closes.push([`${percent} %`, ...[one.hoursUp, one.hoursDown, one.daysUp, one.daysDown].map(formatCount)]);
  }
  return [
    moves.toString(),
    '\n  Closes at least that far from the close of the hour or UTC day before:',
    closes.toString(),
    `\n  Sampled every ${samplingText(samplingIntervalSeconds)}: moves that reverse in between are not seen.`,
  ].join('\n');
}

function moveCells({ count, perDay, meanSize, maxSize, last }: DirectionMoves): string[] {
  return [
    formatCount(count),
    perDay.toFixed(2),
    meanSize === null ? NONE : shareText(meanSize),
    maxSize === null ? NONE : shareText(maxSize),
    last === null ? NONE : formatTime(last.confirmed_time),
  ];
}

/** 0.07 × 100 is 7.000000000000001. */
function percentOf(fraction: number): string {
  return String(Number((fraction * 100).toPrecision(12)));
}

function samplingText(seconds: number): string {
  const rounded = Math.round(seconds);
  if (rounded % 3_600 === 0) return `${rounded / 3_600} h`;
  return rounded % 60 === 0 ? `${rounded / 60} min` : `${rounded} s`;
}

function movesRows({ series, from, to, samplingIntervalSeconds, thresholds }: Answers['moves']): Row[] {
  return thresholds.flatMap((one) =>
    DIRECTIONS.map(([name]) => ({
      series,
      from,
      to,
      samplingIntervalSeconds,
      threshold: one.threshold,
      direction: name === 'rises' ? 'rise' : 'fall',
      ...directionRow(one, name),
    })),
  );
}

function directionRow(one: ThresholdMoves, name: 'rises' | 'falls'): Row {
  const { count, perDay, meanSize, maxSize, last } = one[name];
  const [hours, days] = name === 'rises' ? [one.hoursUp, one.daysUp] : [one.hoursDown, one.daysDown];
  return { count, perDay, meanSize, maxSize, last: last?.confirmed_time, hours, days };
}

function percentilesTable({ from, to, series }: Answers['percentiles']): string {
  const percents = percentsOf(series[0]);
  const table = textTable(['', 'samples', ...percents.map((percent) => `${percent} %`)]);
  for (const one of series) {
    table.push([
      one.series,
      formatCount(one.samples),
      ...percents.map((percent) => formatPercent(one.percentiles[percent] as number)),
    ]);
  }
  return `${windowLine('Percentiles of the 24 h change', { from, to })}\n${table}`;
}

/** Object keys that are whole numbers come first whatever their order was. */
function percentsOf(one: { percentiles: Record<string, number> } | undefined): string[] {
  return Object.keys(one?.percentiles ?? {}).sort((a, b) => Number(a) - Number(b));
}

function percentilesRows({ from, to, series }: Answers['percentiles']): Row[] {
  return series.map(({ percentiles, ...one }) => ({ from, to, ...one, ...percentileColumns(percentiles) }));
}

function percentileColumns(percentiles: Record<string, number> | null): Row {
  const percents = percentsOf(percentiles === null ? undefined : { percentiles });
  return Object.fromEntries(percents.map((percent) => [`p${percent}`, percentiles?.[percent]]));
}

function volatileTable({ from, to, series }: Answers['volatile']): string {
  const thresholds = [...new Set(series.flatMap(({ moves }) => moves.map(({ threshold }) => threshold)))];
  const table = textTable([
    '',
    'volatility a year',
    'high–low range',
    'coverage',
    ...thresholds.map((threshold) => `±${percentOf(threshold)} % moves`),
  ]);
  for (const { series: name, volatility, rangeFraction, coverage, moves } of series) {
    table.push([
      name,
      volatility === null ? NONE : shareText(volatility),
      shareText(rangeFraction),
      shareText(coverage),
      ...thresholds.map((threshold) => {
        const one = moves.find((each) => each.threshold === threshold);
        return one ? formatCount(one.rises + one.falls) : '0';
      }),
    ]);
  }
  const note =
    thresholds.length === 0
      ? ''
      : '\n\n  Moves are of closed hours; those that reverse between polls are not seen ("moves" tells the interval).';
  return `${windowLine('Most volatile', { from, to })}\n${table}${note}`;
}

function volatileRows({ from, to, series }: Answers['volatile']): Row[] {
  return series.map(({ moves, ...one }) => ({
    from,
    to,
    ...one,
    ...Object.fromEntries(
      moves.flatMap(({ threshold, rises, falls }) => [
        [`rises_${percentOf(threshold)}_pcnt`, rises],
        [`falls_${percentOf(threshold)}_pcnt`, falls],
      ]),
    ),
  }));
}

function compareTables({ series }: Answers['compare']): string {
  const averages = series.map(({ average, ...one }) => ({ ...one, ...average }));
  const windows = averages.map((one) => windowLine(one.series, one)).join('\n');
  const thresholds = series[0]?.moves.thresholds.map(({ threshold }) => threshold) ?? [];
  const percents = percentsOf(series.flatMap(({ percentiles }) => (percentiles ? [{ percentiles }] : []))[0]);
  const rest = sideBySide(series, [
    ['volatility a year', (one) => (one.volatility === null ? NONE : shareText(one.volatility))],
    ['high–low range', (one) => shareText(one.rangeFraction)],
    ...thresholds.map((threshold, index): [string, (one: (typeof series)[number]) => string] => [
      `rises / falls of ${percentOf(threshold)} %`,
      ({ moves }) =>
        `${moves.thresholds[index]?.rises.count ?? 0} / ${moves.thresholds[index]?.falls.count ?? 0}`,
    ]),
    ['sampled every', (one) => samplingText(one.moves.samplingIntervalSeconds)],
    ...percents.map((percent): [string, (one: (typeof series)[number]) => string] => [
      `24 h change, ${percent} % percentile`,
      ({ percentiles }) => (percentiles ? formatPercent(percentiles[percent] as number) : NONE),
    ]),
  ]);
  return `${windows}\n${averageTable(averages)}\n\n${rest}`;
}

function compareRows({ series }: Answers['compare']): Row[] {
  return series.map(({ average, moves, percentiles, volatility, rangeFraction, ...name }) => ({
    ...name,
    ...average,
    volatility,
    rangeFraction,
    samplingIntervalSeconds: moves.samplingIntervalSeconds,
    ...Object.fromEntries(
      moves.thresholds.flatMap(({ threshold, rises, falls }) => [
        [`rises_${percentOf(threshold)}_pcnt`, rises.count],
        [`falls_${percentOf(threshold)}_pcnt`, falls.count],
      ]),
    ),
    ...percentileColumns(percentiles),
  }));
}

function seriesTable({ series }: Answers['series']): string {
  const table = textTable(['', 'first', 'last', 'hours', 'coverage']);
  for (const { series: name, first, last, hours, coverage } of series) {
    table.push([name, formatTime(first), formatTime(last), formatCount(hours), shareText(coverage)]);
  }
  return table.toString();
}
