import { InvalidInputError } from './invalid-input.ts';
import { DAY_MS, HOUR_MS, hourOf, parseDuration, parseTime } from './time.ts';

/** [from, to), both epoch ms. */
export interface Window {
  fromMs: number;
  toMs: number;
  /** The length in ms, if the question gave that instead of a start: widening to whole hours keeps it. */
  overMs?: number;
}

/** A window as a question names it; times are ISO 8601 UTC, `over` is a duration such as `90d`. */
export interface WindowQuestion {
  over?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** Replaces now. */
  at?: string | undefined;
}

/**
 * The window of a question: `from`–`to`, or `over` before `to` or after `from`. It ends `at`, else now, unless the
 * question says otherwise.
 * @param defaultOver the duration if the question has neither `over` nor `from`
 * @throws InvalidInputError
 */
export function windowOf({ over, from, to, at }: WindowQuestion, nowMs: number, defaultOver: string): Window {
  if (over !== undefined && from !== undefined && to !== undefined) {
    throw new InvalidInputError('Give at most two of --over, --from and --to.');
  }
  const fromMs = from === undefined ? undefined : parseTime(from);
  const endMs = to === undefined ? (at === undefined ? nowMs : parseTime(at)) : parseTime(to);
  if (fromMs === undefined) return windowBefore(endMs, over ?? defaultOver);
  const toMs = over === undefined ? endMs : fromMs + parseDuration(over);
  if (fromMs >= toMs) {
    throw new InvalidInputError(
      `The window ends (${new Date(toMs).toISOString()}) before it begins (${new Date(fromMs).toISOString()}).`,
    );
  }
  return { fromMs, toMs };
}

/** The window of a duration such as `90d` that ends at a time (epoch ms). */
export function windowBefore(toMs: number, over: string): Window {
  const overMs = parseDuration(over);
  return { fromMs: toMs - overMs, toMs, overMs };
}

/** The whole hours that a window overlaps. */
export function touched({ fromMs, toMs }: Window): Window {
  return { fromMs: hourOf(fromMs), toMs: endOfHour(toMs) };
}

/**
 * The window in whole hours: those that it overlaps, unless the question gave its length. Then it ends with
 * the hour that its end is in and keeps that length, rounded up: 90 days are 2,160 hours at any minute.
 */
export function widened(window: Window): Window {
  const { fromMs, toMs } = touched(window);
  return { fromMs: window.overMs === undefined ? fromMs : toMs - endOfHour(window.overMs), toMs };
}

function endOfHour(timeMs: number): number {
  return Math.ceil(timeMs / HOUR_MS) * HOUR_MS;
}

export function hoursIn({ fromMs, toMs }: Window): number {
  return (toMs - fromMs) / HOUR_MS;
}

export function daysIn({ fromMs, toMs }: Window): number {
  return (toMs - fromMs) / DAY_MS;
}

export function isIn({ fromMs, toMs }: Window, timeMs: number): boolean {
  return fromMs <= timeMs && timeMs < toMs;
}

/** ISO 8601 UTC with milliseconds, as in answers. */
export function isoWindow({ fromMs, toMs }: Window): { from: string; to: string } {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}
