import type { CandleObject } from '../lake/candle-objects.ts';
import type { PathlessCandle } from '../market/candle.ts';
import type { Origin } from './states.ts';

/**
 * The names of `gaps` runs start with this. Besides answers, these runs write objects without candles, in the
 * format `rows`: the exchange was asked for this range, its answers are stored, and it has nothing more.
 */
export const REPAIR_RUN = 'gaps-';
/** The names of `backfill` runs through ccxt end with this. */
export const CCXT_RUN = '-ccxt';

/** Whether an object is an exchange's answer: as it gave it, or through ccxt. */
function isOfExchange({ format, run }: Pick<CandleObject, 'format' | 'run'>): boolean {
  return format !== 'rows' || run?.endsWith(CCXT_RUN) === true;
}

function isMark({ format, run }: Pick<CandleObject, 'format' | 'run'>): boolean {
  return format === 'rows' && run?.startsWith(REPAIR_RUN) === true;
}

/** What one series' recorded candles in the lake say about its hours. */
export class RecordedParts {
  readonly #objects: readonly CandleObject[];

  /** @param objects of one series, the most recently written last */
  constructor(objects: readonly CandleObject[]) {
    this.#objects = objects;
  }

  /** Whether a repair asked the exchange for the candle of an hour, and finished storing the answer. */
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
