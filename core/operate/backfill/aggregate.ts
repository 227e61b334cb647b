import type { RecordedPrices } from '../../market/candle.ts';
import type { PathPoint } from '../../market/price-path.ts';
import { HOUR_MS } from '../../market/time.ts';

/** In the path of an hour: as many as polls every two minutes. */
const MOST_POINTS = 30;

/** Adds up rows that cover parts of an hour to the hour's candle and its path. */
export class HourOfRows {
  readonly startMs: number;
  readonly #rowMs: number;
  readonly #path: PathPoint[] = [];
  #open = 0;
  #high = 0;
  #low = Number.POSITIVE_INFINITY;
  #close = 0;
  #volume: number | undefined = 0;
  #turnover: number | undefined = 0;

  /** @param rowMs what each row covers */
  constructor(startMs: number, rowMs: number) {
    this.startMs = startMs;
    this.#rowMs = rowMs;
  }

  /** Rows come in time order. */
  add({ startMs, open, high, low, close, volume, turnover }: RecordedPrices): void {
    if (this.#path.length === 0) this.#open = open;
    this.#high = Math.max(this.#high, high);
    this.#low = Math.min(this.#low, low);
    this.#close = close;
    this.#volume = sum(this.#volume, volume);
    this.#turnover = sum(this.#turnover, turnover);
    const [early, late] = close >= open ? [low, high] : [high, low];
    const offsetMs = startMs - this.startMs;
    for (const [index, price] of [open, early, late, close].entries()) {
      const inRowMs = Math.floor(index === 3 ? (this.#rowMs * 59) / 60 : (this.#rowMs * index) / 3);
      this.#turn(Math.min(offsetMs + inRowMs, HOUR_MS - 1), price);
    }
  }

  candle(): RecordedPrices & { path: PathPoint[] } {
    return {
      startMs: this.startMs,
      open: this.#open,
      high: this.#high,
      low: this.#low,
      close: this.#close,
      ...(this.#volume === undefined ? {} : { volume: this.#volume }),
      ...(this.#turnover === undefined ? {} : { turnover: this.#turnover }),
      path: largestTurns(this.#path, this.#high, this.#low),
    };
  }

  /** Keeps the prices at which the path turns: those in between change no move's extremes and sizes. */
  #turn(offsetMs: number, price: number): void {
    const path = this.#path;
    const [before, last] = [path.at(-2), path.at(-1)];
    if (last?.[1] === price) return;
    if (last && before && isBetween(last[1], before[1], price)) path.pop();
    path.push([offsetMs, price]);
  }
}

/**
 * The path without its smallest turns if it has many, so that reading many years stays fast. The first and
 * the last price, the high and the low, and all larger turns stay.
 */
function largestTurns(path: PathPoint[], high: number, low: number): PathPoint[] {
  const left = [...path];
  const sizeAt = (index: number) => Math.abs((left[index + 1]?.[1] ?? 0) - (left[index]?.[1] ?? 0));
  const isKept = (index: number) => left[index]?.[1] === high || left[index]?.[1] === low;
  while (left.length > MOST_POINTS) {
    let smallest: number | undefined;
    for (let index = 1; index < left.length - 2; index += 1) {
      const size = sizeAt(index);
      if (smallest !== undefined && size >= sizeAt(smallest)) continue;
      // A step between two larger ones: without it they are one.
      const isTurn = size <= sizeAt(index - 1) && size <= sizeAt(index + 1);
      if (isTurn && !isKept(index) && !isKept(index + 1)) smallest = index;
    }
    if (smallest === undefined) break;
    left.splice(smallest, 2);
  }
  return left;
}

function isBetween(price: number, a: number, b: number): boolean {
  return (a <= price && price <= b) || (a >= price && price >= b);
}

/** Unknown if one part is. */
function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
