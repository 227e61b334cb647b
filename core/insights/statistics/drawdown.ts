import { DAY_MS } from '../../market/time.ts';

/** One fall from a high until the price is back at it. Prices in the quote currency, times ISO 8601 UTC. */
export interface Drawdown {
  /** troughPrice / peakPrice − 1, a fraction of at most 0. */
  fraction: number;
  peakPrice: number;
  peakTime: string;
  troughPrice: number;
  troughTime: string;
  /** The first price at or above the peak; null if there is none yet. */
  recoveredTime: string | null;
}

/** How far a price fell below its highest price so far. */
export interface Drawdowns {
  /** The deepest; null if the price never fell. */
  max: Drawdown | null;
  /** The last price / the highest price so far − 1, a fraction of at most 0. */
  current: number;
  /** From the highest price so far to the last price; 0 if they are the same. */
  daysUnderWater: number;
  /** All days that the price was below its highest price so far. */
  totalDaysUnderWater: number;
  /** The five deepest, deepest first. */
  worst: Drawdown[];
}

interface Episode {
  peakPrice: number;
  peakMs: number;
  troughPrice: number;
  troughMs: number;
  recoveredMs?: number;
}

const WORST = 5;

/**
 * The drawdowns along a path. One lasts from a highest price so far to the first price that is at least as high again.
 * @param path `[epoch ms, price]` in time order
 * @returns undefined for an empty path
 */
export function drawdownsOf(path: Iterable<readonly [timeMs: number, price: number]>): Drawdowns | undefined {
  const episodes: Episode[] = [];
  let peak: { price: number; timeMs: number } | undefined;
  let under: Episode | undefined;
  let last: { price: number; timeMs: number } | undefined;
  for (const [timeMs, price] of path) {
    last = { price, timeMs };
    if (peak === undefined || price > peak.price || (under && price >= peak.price)) {
      if (under) under.recoveredMs = timeMs;
      under = undefined;
      peak = last;
    } else if (price < peak.price) {
      if (!under) {
        under = { peakPrice: peak.price, peakMs: peak.timeMs, troughPrice: price, troughMs: timeMs };
        episodes.push(under);
      } else if (price < under.troughPrice) {
        under.troughPrice = price;
        under.troughMs = timeMs;
      }
    }
  }
  if (!peak || !last) return undefined;
  const endMs = last.timeMs;
  const worst = episodes
    .map(drawdownOf)
    .sort((a, b) => a.fraction - b.fraction || (a.peakTime < b.peakTime ? -1 : 1))
    .slice(0, WORST);
  return {
    max: worst[0] ?? null,
    current: last.price / peak.price - 1,
    daysUnderWater: under ? (endMs - under.peakMs) / DAY_MS : 0,
    totalDaysUnderWater: episodes.reduce(
      (sum, { peakMs, recoveredMs = endMs }) => sum + (recoveredMs - peakMs) / DAY_MS,
      0,
    ),
    worst,
  };
}

/** Each price of a path ÷ the highest so far − 1, at most 0. */
export function* underWater(
  path: Iterable<readonly [timeMs: number, price: number]>,
): Generator<[timeMs: number, fraction: number]> {
  let peak = 0;
  for (const [timeMs, price] of path) {
    peak = Math.max(peak, price);
    yield [timeMs, price / peak - 1];
  }
}

function drawdownOf({ peakPrice, peakMs, troughPrice, troughMs, recoveredMs }: Episode): Drawdown {
  const iso = (timeMs: number) => new Date(timeMs).toISOString();
  return {
    fraction: troughPrice / peakPrice - 1,
    peakPrice,
    peakTime: iso(peakMs),
    troughPrice,
    troughTime: iso(troughMs),
    recoveredTime: recoveredMs === undefined ? null : iso(recoveredMs),
  };
}
