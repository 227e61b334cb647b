import type { Answers } from '../../insights/question.ts';
import type { DirectionMoves } from '../../insights/window-moves.ts';
import { formatCount, formatTime } from '../format.ts';
import type { AnswerTable } from './answer-table.ts';
import { samplingText, sourcesText } from './trust-words.ts';
import { NONE, percentOf, shareText, timeText } from './words.ts';

type MovesAnswer = Omit<Answers['moves'], 'series'>;
type Threshold = MovesAnswer['thresholds'][number];

export function movesTables({ thresholds, horizons = [] }: MovesAnswer): AnswerTable[] {
  const completed = thresholds.some(({ rises, falls }) => rises.meanOvershoot ?? falls.meanOvershoot);
  return [
    {
      head: ['', 'count', 'per day', 'mean size', 'largest', 'last confirmed'],
      rows: directionRows(thresholds, moveCells),
    },
    {
      title: 'When they came, and how far they went beyond the threshold:',
      head: ['', 'median wait', '90 % within', 'median duration', 'mean overshoot', 'since the last'],
      rows: directionRows(thresholds, timingCells),
      notes: completed ? ['(For currencies the overshoot is on average about the threshold itself.)'] : [],
    },
    {
      title: 'Closes at least that far from the previous close of an hour or UTC day:',
      head: ['', 'hours up', 'hours down', 'days up', 'days down'],
      rows: thresholds.map(({ threshold, hoursUp, hoursDown, daysUp, daysDown }) => [
        `${percentOf(threshold)} %`,
        ...[hoursUp, hoursDown, daysUp, daysDown].map(formatCount),
      ]),
    },
    ...(horizons.length > 0 ? [horizonTable(horizons)] : []),
  ];
}

/** The data that moves are computed from. */
export function movesNotes(answer: MovesAnswer): string[] {
  return [
    `Data for ${shareText(answer.coverage)} of the window: ${sourcesText(answer)}.`,
    `Sampled every ${samplingText(answer)}: moves that reverse in between are not seen.`,
  ];
}

function directionRows(
  thresholds: readonly Threshold[],
  cells: (moves: DirectionMoves) => string[],
): string[][] {
  return thresholds.flatMap(({ threshold, rises, falls }) => [
    [`rises +${percentOf(threshold)} %`, ...cells(rises)],
    [`falls -${percentOf(threshold)} %`, ...cells(falls)],
  ]);
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

function timingCells(moves: DirectionMoves): string[] {
  return [
    timeText(moves.medianWaitHours),
    timeText(moves.p90WaitHours),
    timeText(moves.medianDurationHours),
    shareText(moves.meanOvershoot),
    timeText(moves.hoursSinceLast),
  ];
}

function horizonTable(horizons: NonNullable<MovesAnswer['horizons']>): AnswerTable {
  const bounds = (low: number | null, high: number | null) =>
    low === null || high === null ? NONE : `${shareText(low)} – ${shareText(high)}`;
  return {
    title: 'How often the close was that far away after a fixed time, or was touched on the way:',
    head: ['after', 'returns', 'by', 'up', '95 % bounds', 'touched', 'down', '95 % bounds', 'touched'],
    rows: horizons.flatMap(({ horizon, n, thresholds }) =>
      thresholds.map((one) => [
        horizon,
        formatCount(n),
        `${percentOf(one.threshold)} %`,
        shareText(one.upShare),
        bounds(one.upLow, one.upHigh),
        shareText(one.touchedUpShare),
        shareText(one.downShare),
        bounds(one.downLow, one.downHigh),
        shareText(one.touchedDownShare),
      ]),
    ),
  };
}
