import type { CandleObject } from '../lake/candle-objects.ts';
import type { PathlessCandle } from '../market/candle.ts';
import type { Origin } from './states.ts';

/** The runs of `gaps` begin so: what they asked an exchange for, it is not asked again, whatever it answered. */
export const REPAIR_RUN = 'gaps-';
/** The runs of a `backfill` through ccxt end so. */
export const CCXT_RUN = '-ccxt';

/** Whether an object is an exchange's answer: to a backfill of ours, to one through ccxt, or to a repair. */
function isOfExchange({ format, run }: Pick<CandleObject, 'format' | 'run'>): boolean {
  return format !== 'rows' || run?.startsWith(REPAIR_RUN) === true || run?.endsWith(CCXT_RUN) === true;
}

/** What the recorded candles of one series in the lake tell about its hours. */
export class RecordedParts {
  readonly #objects: readonly CandleObject[];

  /** @param objects of one series, the most recently written last */
  constructor(objects: readonly CandleObject[]) {
    this.#objects = objects;
  }

  /** Whether the exchange was asked for the candle of an hour; a backfill asks for whole ranges. */
  isAsked(hourMs: number): boolean {
    return this.#objects.some(
      (object) =>
        object.hours === 1 &&
        // Of a backfill through ccxt, the object has only what there was.
        (object.format !== 'rows' || object.run?.startsWith(REPAIR_RUN) === true) &&
        object.firstMs <= hourMs &&
        hourMs <= object.lastMs,
    );
  }

  originOf({ source, startMs, hours }: Pick<PathlessCandle, 'source' | 'startMs' | 'hours'>): Origin {
    if (source === 'ticks') return 'ticks';
    const last = this.#objects.findLast(
      (object) => object.hours === hours && object.firstMs <= startMs && startMs <= object.lastMs,
    );
    return last && isOfExchange(last) ? 'exchange' : 'file';
  }
}
