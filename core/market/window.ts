import { InvalidInputError } from './invalid-input.ts';
import { DAY_MS, HOUR_MS, hourOf, parseDuration, parseTime } from './time.ts';

/** [from, to), both epoch ms. */
export interface Window {
  fromMs: number;
  toMs: number;
}

/** How a question names its window; times ISO 8601 UTC, `over` such as `90d`. */
export interface WindowQuestion {
  over?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** As of when: takes the place of now. */
  at?: string | undefined;
}

/**
 * The window that a question names: `from`–`to`; or `over` before `to`, or after `from`; each end that is not named
 * is `at`, else now.
 * @param defaultOver where the question says neither how long nor from when
 * @throws InvalidInputError
 */
export function windowOf({ over, from, to, at }: WindowQuestion, nowMs: number, defaultOver: string): Window {
  if (over !== undefined && from !== undefined && to !== undefined) {
    throw new InvalidInputError('A window has two of --over, --from and --to, not all three.');
  }
  const fromGivenMs = from === undefined ? undefined : parseTime(from);
  const overMs = parseDuration(over ?? defaultOver);
  let toMs = to === undefined ? (at === undefined ? nowMs : parseTime(at)) : parseTime(to);
  if (fromGivenMs !== undefined && over !== undefined) toMs = fromGivenMs + overMs;
  const fromMs = fromGivenMs ?? toMs - overMs;
  if (fromMs >= toMs) {
    throw new InvalidInputError(
      `The window ends (${new Date(toMs).toISOString()}) before it begins (${new Date(fromMs).toISOString()}).`,
    );
  }
  return { fromMs, toMs };
}

/** The whole hours that a window touches. */
export function widened({ fromMs, toMs }: Window): Window {
  const end = hourOf(toMs);
  return { fromMs: hourOf(fromMs), toMs: end === toMs ? end : end + HOUR_MS };
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

/** A window as answers carry it: ISO 8601 UTC with milliseconds. */
export function isoWindow({ fromMs, toMs }: Window): { from: string; to: string } {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}
