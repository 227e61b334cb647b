import type { Answers } from '../../core/insights/question.ts';
import type { DirectionMoves } from '../../core/insights/window-moves.ts';
import { movesNotes, movesTables } from '../../core/text/answers/moves-tables.ts';
import { trustNotes } from '../../core/text/answers/trust-words.ts';
import { windowLine } from '../../core/text/answers/words.ts';
import { flatColumns } from './flat-columns.ts';
import { paragraph, printed, type Row } from './words.ts';

export function movesView(answer: Answers['moves']): string {
  return [
    windowLine(answer.series, answer),
    movesTables(answer).map(printed).join('\n\n'),
    ...paragraph([...movesNotes(answer), ...trustNotes(answer)]),
  ].join('\n');
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
