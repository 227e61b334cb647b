import { BadQuestionError } from '../insights/errors.ts';
import { DAY_MS, HOUR_MS, hourOf } from './candle.ts';

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

const UNITS_MS = { m: 60_000, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS, y: 365 * DAY_MS } as const;

/**
 * `30m`, `1h`, `90d`, `2w`, `1y` → ms; a day is 24 hours, a year 365 days.
 * @throws BadQuestionError
 */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d+)([mhdwy])$/.exec(text) ?? [];
  const durationMs = Number(count) * (UNITS_MS[unit as keyof typeof UNITS_MS] ?? Number.NaN);
  if (!(durationMs > 0) || durationMs > 1_000 * UNITS_MS.y) {
    throw new BadQuestionError(`"${text}" is no duration: expected one such as 30m, 24h, 90d, 2w or 1y.`);
  }
  return durationMs;
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d(?:\.\d{1,3})?))?)?Z?$/;

/**
 * `2018-07-01`, `2018-07-01T12:00`, `2018-07-01T12:00:30Z` → epoch ms; always UTC.
 * @throws BadQuestionError
 */
export function parseTime(text: string): number {
  const [, date, minutes = '00:00', seconds = '00'] = TIME.exec(text) ?? [];
  const timeMs = Date.parse(`${date}T${minutes}:${seconds}Z`);
  // Date.parse takes 30 February for 2 March.
  if (Number.isNaN(timeMs) || new Date(timeMs).toISOString().slice(0, 10) !== date) {
    throw new BadQuestionError(
      `"${text}" is no time: expected ISO 8601 UTC such as 2018-07-01 or 2018-07-01T12:00Z.`,
    );
  }
  return timeMs;
}

/**
 * The window that a question names: `from`–`to`; or `over` before `to`, or after `from`; each end that is not named
 * is `at`, else now.
 * @param defaultOver where the question says neither how long nor from when
 * @throws BadQuestionError
 */
export function windowOf({ over, from, to, at }: WindowQuestion, nowMs: number, defaultOver: string): Window {
  if (over !== undefined && from !== undefined && to !== undefined) {
    throw new BadQuestionError('A window has two of --over, --from and --to, not all three.');
  }
  const fromGivenMs = from === undefined ? undefined : parseTime(from);
  const overMs = parseDuration(over ?? defaultOver);
  let toMs = to === undefined ? (at === undefined ? nowMs : parseTime(at)) : parseTime(to);
  if (fromGivenMs !== undefined && over !== undefined) toMs = fromGivenMs + overMs;
  const fromMs = fromGivenMs ?? toMs - overMs;
  if (fromMs >= toMs) {
    throw new BadQuestionError(
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
