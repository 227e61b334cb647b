import { type Absence, withoutData } from '../completeness/absence.ts';
import type { CandleSeries } from '../market/candle.ts';
import { isIn, touched } from '../market/window.ts';
import { extentOf, gapsBetween, type Hour } from './history.ts';
import type { SeriesFacts } from './ports.ts';
import type { Trust } from './trust.ts';

/** The part of an answer about coverage. */
interface Covered extends Pick<Trust, 'withoutData'> {
  from: string;
  to: string;
  coverage: number;
}

/**
 * Adds to answers about one series why part of their window has no data. The facts are read only if an answer
 * needs them.
 */
export class Reasons {
  readonly #load: () => Promise<Absence> | undefined;
  #absence: Promise<Absence> | undefined;

  constructor(store: SeriesFacts, series: CandleSeries) {
    this.#load = () => store.absence?.(series);
  }

  /** @param hours of the series, by start, including every hour of the answer's window */
  async explain<A extends Covered>(answer: A, hours: readonly Pick<Hour, 'startMs' | 'hours'>[]): Promise<A> {
    if (answer.coverage >= 1) return answer;
    this.#absence ??= this.#load();
    const absence = await this.#absence;
    if (!absence) return answer;
    const window = touched({ fromMs: Date.parse(answer.from), toMs: Date.parse(answer.to) });
    const covered = hours.filter(({ startMs }) => isIn(window, startMs)).map(extentOf);
    return { ...answer, withoutData: withoutData(gapsBetween(covered, window), absence) };
  }
}
