import { InvalidInputError } from './invalid-input.ts';
import { DAY_MS, HOUR_MS, hourOf, parseDuration, parseTime } from './time.ts';

/** [from, to), both epoch ms. */
export interface Window {
  fromMs: number;
  toMs: number;
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

/** The window extended to whole hours. */
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

/** ISO 8601 UTC with milliseconds, as in answers. */
export function isoWindow({ fromMs, toMs }: Window): { from: string; to: string } {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}
