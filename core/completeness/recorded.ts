import type { CandleObject } from '../lake/candle-objects.ts';
import type { PathlessCandle } from '../market/candle.ts';
import type { Origin } from './states.ts';

/**
 * The runs of `gaps` begin so. Besides the answers of exchanges they write objects without candles, in the format `rows`:
 * an exchange was asked for this range, and what it gave is written; it has no more.
 */
export const REPAIR_RUN = 'gaps-';
/** The runs of a `backfill` through ccxt end so. */
export const CCXT_RUN = '-ccxt';

/** Whether an object is an exchange's answer: as it gave it, or through ccxt. */
function isOfExchange({ format, run }: Pick<CandleObject, 'format' | 'run'>): boolean {
  return format !== 'rows' || run?.endsWith(CCXT_RUN) === true;
}

function isMark({ format, run }: Pick<CandleObject, 'format' | 'run'>): boolean {
  return format === 'rows' && run?.startsWith(REPAIR_RUN) === true;
}

/** What the recorded candles of one series in the lake tell about its hours. */
export class RecordedParts {
  readonly #objects: readonly CandleObject[];

  /** @param objects of one series, the most recently written last */
  constructor(objects: readonly CandleObject[]) {
    this.#objects = objects;
  }

  /** Whether a repair asked the exchange for the candle of an hour, and was done with the answer. */
  isAsked(hourMs: number): boolean {
    return this.#objects.some(
      ({ format, run, firstMs, lastMs }) => isMark({ format, run }) && firstMs <= hourMs && hourMs <= lastMs,
    );
  }

  originOf({ source, startMs, hours }: Pick<PathlessCandle, 'source' | 'startMs' | 'hours'>): Origin {
    if (source === 'ticks') return 'ticks';
    const last = this.#objects.findLast(
      (object) =>
        object.hours === hours && object.firstMs <= startMs && startMs <= object.lastMs && !isMark(object),
    );
    return last && isOfExchange(last) ? 'exchange' : 'file';
  }
}
