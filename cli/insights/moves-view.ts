import type { Answers } from '../../core/insights/question.ts';
import type { DirectionMoves } from '../../core/insights/window-moves.ts';
import { formatCount, formatTime } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { flatColumns } from './flat-columns.ts';
import { samplingText, sourcesText } from './trust-view.ts';
import { NONE, percentOf, type Row, shareText, timeText } from './words.ts';

type MovesAnswer = Omit<Answers['moves'], 'series'>;
type Threshold = MovesAnswer['thresholds'][number];

export function movesTables({ thresholds, horizons = [], ...answer }: MovesAnswer): string {
  const closes = thresholds.map(({ threshold, hoursUp, hoursDown, daysUp, daysDown }) => [
    `${percentOf(threshold)} %`,
    ...[hoursUp, hoursDown, daysUp, daysDown].map(formatCount),
  ]);
  return [
    textTable(
      ['', 'count', 'per day', 'mean size', 'largest', 'last confirmed'],
      directionRows(thresholds, moveCells),
    ),
    '\n  When they came, and how far they went on beyond the threshold:',
    textTable(
      ['', 'median wait', '90 % within', 'median duration', 'mean overshoot', 'since the last'],
      directionRows(thresholds, timingCells),
    ),
    ...(thresholds.some(({ rises, falls }) => (rises.meanOvershoot ?? falls.meanOvershoot) !== null)
      ? ['  (For currencies the overshoot is on average about the threshold itself.)']
      : []),
    '\n  Closes at least that far from the previous close of an hour or UTC day:',
    textTable(['', 'hours up', 'hours down', 'days up', 'days down'], closes),
    ...(horizons.length > 0 ? [horizonTable(horizons)] : []),
    `\n  Data for ${shareText(answer.coverage)} of the window: ${sourcesText(answer)}.`,
    `  Sampled every ${samplingText(answer)}: moves that reverse in between are not seen.`,
  ].join('\n');
}

function directionRows(
  thresholds: readonly Threshold[],
  cells: (moves: DirectionMoves) => string[],
): string[][] {
  return thresholds.flatMap(({ threshold, rises, falls }) => [
    [`rises +${percentOf(threshold)} %`, ...cells(rises)],
    [`falls −${percentOf(threshold)} %`, ...cells(falls)],
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

function horizonTable(horizons: NonNullable<MovesAnswer['horizons']>): string {
  const bounds = (low: number | null, high: number | null) =>
    low === null || high === null ? NONE : `${shareText(low)} – ${shareText(high)}`;
  const rows = horizons.flatMap(({ horizon, n, thresholds }) =>
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
  );
  const head = ['after', 'returns', 'by', 'up', '95 % bounds', 'touched', 'down', '95 % bounds', 'touched'];
  return `\n  How often the close was that far away after a fixed time, or was touched on the way:\n${textTable(head, rows)}`;
}

export function movesRows({ thresholds, horizons = [], ...answer }: Answers['moves']): Row[] {
  return thresholds.flatMap(({ threshold, rises, falls, hoursUp, hoursDown, daysUp, daysDown }, index) => {
    const row = (direction: 'rise' | 'fall', { last, ...moves }: DirectionMoves): Row => {
      const isRise = direction === 'rise';
      const steps = horizons.map(({ horizon, n, thresholds: counts }) => {
        const one = counts[index];
        const [share, touched] = isRise
          ? [one?.upShare, one?.touchedUpShare]
          : [one?.downShare, one?.touchedDownShare];
        return { [`n_${horizon}`]: n, [`share_${horizon}`]: share, [`touchedShare_${horizon}`]: touched };
      });
      return {
        ...flatColumns(answer),
        ...{ threshold, direction, ...moves, last: last?.confirmed_time },
        hours: isRise ? hoursUp : hoursDown,
        days: isRise ? daysUp : daysDown,
        ...Object.assign({}, ...steps),
      };
    };
    return [row('rise', rises), row('fall', falls)];
  });
}
