import type { CandleHours } from '../../market/price-path.ts';
import { isIn, type Window } from '../../market/window.ts';
import type { Hour } from '../history.ts';
import { dayChanges, logReturnOf } from './days.ts';

const HOURS_PER_YEAR = 8_766;
const DAYS_PER_YEAR = 365.25;
/** The decay that RiskMetrics recommends for daily returns (J. P. Morgan, Technical Document, 1996). */
const LAMBDA = 0.94;

/**
 * Estimates of a year's volatility that use more of each candle than its close. Fractions; null if there is too little
 * data.
 */
export interface CandleVolatility {
  /** From high and low (Parkinson 1980). */
  parkinson: number | null;
  /** From open, high, low and close (Garman & Klass 1980). */
  garmanKlass: number | null;
  /** Also uses the jumps between candles (Yang & Zhang 2000). */
  yangZhang: number | null;
  /** From the squared returns, without subtracting their mean. */
  realised: number | null;
  /** From daily returns, the newest counting most. */
  ewma: number | null;
  /** From the negative returns alone. */
  downside: number | null;
  /** Mean true range of the days ÷ the last close; not annualised. */
  atrFraction: number | null;
}

/** @param candles with their log returns, by start, including the day before the window and the whole of its last day */
export function candleVolatility(candles: readonly Hour[], window: Window): CandleVolatility {
  const inWindow = candles.filter(({ startMs }) => isIn(window, startMs));
  const returns = inWindow.filter(({ log_return }) => log_return !== undefined);
  const squares = (of: (logReturn: number) => number) =>
    overTime(returns, ({ log_return = 0 }) => of(log_return) ** 2);
  return {
    parkinson: overTime(inWindow, ({ high, low }) => Math.log(high / low) ** 2 / (4 * Math.LN2)),
    garmanKlass: overTime(
      inWindow,
      ({ open, high, low, close }) =>
        Math.log(high / low) ** 2 / 2 - (2 * Math.LN2 - 1) * Math.log(close / open) ** 2,
    ),
    yangZhang: yangZhang(returns),
    realised: squares((logReturn) => logReturn),
    downside: squares((logReturn) => Math.min(logReturn, 0)),
    ...ofDays(candles, window, inWindow.at(-1)?.close),
  };
}

/** √(Σ variance ÷ covered hours × 8766): hourly and daily candles are weighted by the time they cover. */
function overTime<H extends Hour>(candles: readonly H[], varianceOf: (candle: H) => number): number | null {
  if (candles.length === 0) return null;
  let [sum, covered] = [0, 0];
  for (const candle of candles) {
    sum += varianceOf(candle);
    covered += candle.hours;
  }
  // Garman and Klass's variance may be negative.
  return Math.sqrt((Math.max(0, sum) / covered) * HOURS_PER_YEAR);
}

/**
 * var(o) + k · var(c) + (1 − k) · mean(u(u − c) + d(d − c)) with o = ln(open / close before), c = ln(close /
 * open), u = ln(high / open), d = ln(low / open) and k = 0.34 / (1.34 + (n + 1) / (n − 1)); computed for
 * hours and days separately, then combined by the time they cover. @param candles that have a return
 */
function yangZhang(candles: readonly Hour[]): number | null {
  let [sum, covered] = [0, 0];
  for (const length of [1, 24] as const) {
    const variance = yangZhangVariance(candles, length);
    if (variance === undefined) continue;
    sum += variance.n * variance.ofOne;
    covered += variance.n * length;
  }
  return covered === 0 ? null : Math.sqrt((sum / covered) * HOURS_PER_YEAR);
}

function yangZhangVariance(
  candles: readonly Hour[],
  length: CandleHours,
): { n: number; ofOne: number } | undefined {
  const ofLength = candles.filter(({ hours }) => hours === length);
  const n = ofLength.length;
  if (n < 2) return undefined;
  const parts = ofLength.map(({ open, high, low, close, log_return = 0 }) => {
    const [c, u, d] = [Math.log(close / open), Math.log(high / open), Math.log(low / open)];
    return { jump: log_return - c, c, rogersSatchell: u * (u - c) + d * (d - c) };
  });
  const k = 0.34 / (1.34 + (n + 1) / (n - 1));
  const within = parts.reduce((total, { rogersSatchell }) => total + rogersSatchell, 0) / n;
  const ofOne =
    sampleVariance(parts.map(({ jump }) => jump)) +
    k * sampleVariance(parts.map(({ c }) => c)) +
    (1 - k) * within;
  return { n, ofOne };
}

function sampleVariance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

/**
 * `ewma`: s ← λ·s + (1 − λ)·r² over the days, starting with the first r². `atrFraction`: the true range of a day is
 * max(high, close before) − min(low, close before) (Wilder 1978), here averaged over all days of the window.
 */
function ofDays(
  candles: readonly Hour[],
  window: Window,
  lastClose: number | undefined,
): Pick<CandleVolatility, 'ewma' | 'atrFraction'> {
  const days = dayChanges(candles, window);
  if (days.length === 0 || lastClose === undefined) return { ewma: null, atrFraction: null };
  const variance = days
    .map((day) => logReturnOf(day) ** 2)
    .reduce((smooth, square) => LAMBDA * smooth + (1 - LAMBDA) * square);
  const ranges = days.map(
    ({ high, low, closeBefore }) => Math.max(high, closeBefore) - Math.min(low, closeBefore),
  );
  return {
    ewma: Math.sqrt(variance * DAYS_PER_YEAR),
    atrFraction: ranges.reduce((sum, range) => sum + range, 0) / ranges.length / lastClose,
  };
}
