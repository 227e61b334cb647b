import { HOUR_MS } from '../../market/time.ts';
import { isIn, type Window } from '../../market/window.ts';
import type { Hour } from '../history.ts';

export const PERIODS = ['day', 'month', 'quarter', 'year'] as const;
export type Period = (typeof PERIODS)[number];

/** One calendar period, UTC. */
export interface PeriodReturn {
  /** ISO 8601 UTC. */
  start: string;
  /** Close ÷ close of the period before − 1, a fraction; null if the period before has no data. */
  return: number | null;
  /** The part of the period that has data, from 0 to 1; below 1 also if it is not over. */
  coverage: number;
}

export interface PeriodReturns {
  periods: PeriodReturn[];
  best: { start: string; return: number } | null;
  worst: { start: string; return: number } | null;
  /** Periods with a return above 0 ÷ periods with a return; null without one. */
  positiveShare: number | null;
}

/** The start of the period that contains a time, or of one that many periods later; epoch ms. */
export function periodStart(timeMs: number, by: Period, later = 0): number {
  const date = new Date(timeMs);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  switch (by) {
    case 'day':
      return Date.UTC(year, month, date.getUTCDate() + later);
    case 'month':
      return Date.UTC(year, month + later);
    case 'quarter':
      return Date.UTC(year, month - (month % 3) + 3 * later);
    case 'year':
      return Date.UTC(year + later, 0);
  }
}

/** The window that {@link periodReturns} needs the candles of: whole periods, and the one before. */
export function periodsAround({ fromMs, toMs }: Window, by: Period): Window {
  return { fromMs: periodStart(fromMs, by, -1), toMs: periodStart(toMs - 1, by, 1) };
}

/**
 * The periods with data that start in the window, each as a whole. A period's close is that of its last candle.
 * @param candles of one series, by start, see {@link periodsAround}
 */
export function periodReturns(candles: readonly Hour[], window: Window, by: Period): PeriodReturns {
  const closes = new Map<number, { close: number; hours: number }>();
  for (const { startMs, hours, close } of candles) {
    const period = periodStart(startMs, by);
    closes.set(period, { close, hours: hours + (closes.get(period)?.hours ?? 0) });
  }
  const periods = [...closes]
    .filter(([startMs]) => isIn(window, startMs))
    .map(([startMs, { close, hours }]): PeriodReturn => {
      const before = closes.get(periodStart(startMs, by, -1));
      const hoursInPeriod = (periodStart(startMs, by, 1) - startMs) / HOUR_MS;
      return {
        start: new Date(startMs).toISOString(),
        return: before ? close / before.close - 1 : null,
        coverage: Math.min(1, hours / hoursInPeriod),
      };
    });
  const returns = periods.flatMap(({ start, return: change }) =>
    change === null ? [] : [{ start, return: change }],
  );
  const sorted = returns.toSorted((a, b) => a.return - b.return);
  return {
    periods,
    best: sorted.at(-1) ?? null,
    worst: sorted[0] ?? null,
    positiveShare:
      returns.length === 0 ? null : returns.filter((each) => each.return > 0).length / returns.length,
  };
}
