import { rangeMs, type TimeRange } from '../operate/time-range.ts';
import { type ColumnFile, periodWindow } from './objects.ts';

/** Where a slice stopped. */
export interface FileCursor {
  /** The {@link positionOf} the last file that is done. */
  after: string;
  done: number;
}

/** Positions sort by rank, and those of one rank from the oldest period on. */
export function positionOf(rank: number, { period, exchange, category }: ColumnFile): string {
  return `${rank}/${period}/${exchange}/${category}`;
}

/** The files of a range, the oldest first. */
export function inOrder(files: readonly ColumnFile[], range: TimeRange): ColumnFile[] {
  const { fromMs, toMs } = rangeMs(range);
  return files
    .filter((file) => {
      const period = periodWindow(file);
      return period.fromMs < toMs && period.toMs > fromMs;
    })
    .sort((a, b) => (positionOf(0, a) < positionOf(0, b) ? -1 : 1));
}
