import { candleEndMs } from '../../market/candle.ts';
import { InvalidInputError } from '../../market/invalid-input.ts';
import { reaches } from '../../market/threshold.ts';
import { HOUR_MS, parseDuration } from '../../market/time.ts';
import { isIn, type Window } from '../../market/window.ts';
import type { Hour } from '../history.ts';

/** How long a return takes: a duration of whole hours. */
export interface Horizon {
  /** As it was asked, `4h`. */
  text: string;
  ms: number;
}

/** How often a price was at least a threshold higher or lower after a fixed time. */
export interface HorizonThreshold {
  /** A fraction. */
  threshold: number;
  /** Returns of at least the threshold up, and down. */
  up: number;
  down: number;
  /** Their part of all returns, with 95 % bounds; null without a return. */
  upShare: number | null;
  upLow: number | null;
  upHigh: number | null;
  downShare: number | null;
  downLow: number | null;
  downHigh: number | null;
  /** Within the horizon the highest (lowest) price was that far away, even if the close was not. */
  touchedUp: number;
  touchedDown: number;
  touchedUpShare: number | null;
  touchedDownShare: number | null;
}

export interface HorizonReturns {
  /** As it was asked, `4h`. */
  horizon: string;
  /** Returns between two closes that exist. */
  n: number;
  thresholds: HorizonThreshold[];
}

/** One return and its extremes, each relative to the close before. */
interface Step {
  change: number;
  highest: number;
  lowest: number;
}

/** Of the standard normal distribution, 97.5 %. */
const Z = 1.959_963_984_540_054;

/** `4h` → 4 hours. @throws InvalidInputError unless it is a number of whole hours */
export function parseHorizon(text: string): Horizon {
  const ms = parseDuration(text);
  if (ms % HOUR_MS === 0) return { text, ms };
  throw new InvalidInputError(
    `"${text}" is not a valid horizon: expected whole hours or days such as 4h or 7d.`,
  );
}

/**
 * The returns C_t / C_{t−h} − 1 where t is a multiple of the horizon h since 1970-01-01 00:00 UTC, so none overlaps
 * another. A return needs a candle that ends at t and one that ends at t − h; it belongs to the window that the later
 * one starts in.
 * @param candles of one series, by start, including those up to the horizon before the window
 * @param thresholds fractions
 */
export function horizonReturns(
  candles: readonly Hour[],
  window: Window,
  { text, ms }: Horizon,
  thresholds: readonly number[],
): HorizonReturns {
  const steps = stepsOf(candles, window, ms);
  const n = steps.length;
  const count = (matches: (step: Step) => boolean) => steps.filter(matches).length;
  return {
    horizon: text,
    n,
    thresholds: thresholds.map((threshold) => {
      const up = count(({ change }) => reaches(change, threshold));
      const down = count(({ change }) => reaches(-change, threshold));
      const touchedUp = count(({ highest }) => reaches(highest, threshold));
      const touchedDown = count(({ lowest }) => reaches(-lowest, threshold));
      const [ups, downs] = [wilson(up, n), wilson(down, n)];
      return {
        threshold,
        up,
        down,
        ...{ upShare: ups.share, upLow: ups.low, upHigh: ups.high },
        ...{ downShare: downs.share, downLow: downs.low, downHigh: downs.high },
        touchedUp,
        touchedDown,
        touchedUpShare: wilson(touchedUp, n).share,
        touchedDownShare: wilson(touchedDown, n).share,
      };
    }),
  };
}

function stepsOf(candles: readonly Hour[], window: Window, horizonMs: number): Step[] {
  const closes = new Map(candles.map((candle) => [candleEndMs(candle), candle.close]));
  const steps: Step[] = [];
  for (const [index, candle] of candles.entries()) {
    const endMs = candleEndMs(candle);
    const before = closes.get(endMs - horizonMs);
    if (endMs % horizonMs !== 0 || before === undefined || !isIn(window, candle.startMs)) continue;
    let { high, low } = candle;
    for (let at = index - 1; at >= 0; at -= 1) {
      const earlier = candles[at] as Hour;
      if (earlier.startMs < endMs - horizonMs) break;
      high = Math.max(high, earlier.high);
      low = Math.min(low, earlier.low);
    }
    steps.push({ change: candle.close / before - 1, highest: high / before - 1, lowest: low / before - 1 });
  }
  return steps;
}

/** The score interval of a share (Wilson 1927): it stays within 0 and 1 and holds for few observations. */
export function wilson(
  count: number,
  n: number,
): { share: number | null; low: number | null; high: number | null } {
  if (n === 0) return { share: null, low: null, high: null };
  const share = count / n;
  const z2 = Z ** 2 / n;
  const middle = (share + z2 / 2) / (1 + z2);
  const half = (Z / (1 + z2)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n));
  return { share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
