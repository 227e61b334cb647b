import { InvalidInputError } from './invalid-input.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The last time that ISO 8601 can write with a four-digit year, in epoch ms. */
export const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The start of the hour that contains a time, both in epoch ms. */
export function hourOf(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS) * HOUR_MS;
}

/** The start of the UTC day that contains a time, both in epoch ms. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS) * DAY_MS;
}

const UNITS_MS = { m: MINUTE_MS, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS, y: 365 * DAY_MS } as const;

/**
 * `30m`, `1h`, `90d`, `2w`, `1y` → ms; a day is 24 hours, a year 365 days.
 * @throws InvalidInputError
 */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d+)([mhdwy])$/.exec(text) ?? [];
  const durationMs = Number(count) * (UNITS_MS[unit as keyof typeof UNITS_MS] ?? Number.NaN);
  if (!(durationMs > 0) || durationMs > 1_000 * UNITS_MS.y) {
    throw new InvalidInputError(
      `"${text}" is not a valid duration: expected one such as 30m, 24h, 90d, 2w or 1y.`,
    );
  }
  return durationMs;
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d(?:\.\d{1,3})?))?)?Z?$/;

/**
 * `2018-07-01`, `2018-07-01T12:00`, `2018-07-01T12:00:30Z` → epoch ms; always UTC.
 * @throws InvalidInputError
 */
export function parseTime(text: string): number {
  const [, date, minutes = '00:00', seconds = '00'] = TIME.exec(text) ?? [];
  const timeMs = Date.parse(`${date}T${minutes}:${seconds}Z`);
  // Date.parse reads 30 February as 2 March.
  if (Number.isNaN(timeMs) || new Date(timeMs).toISOString().slice(0, 10) !== date) {
    throw new InvalidInputError(
      `"${text}" is not a valid time: expected ISO 8601 UTC such as 2018-07-01 or 2018-07-01T12:00Z.`,
    );
  }
  return timeMs;
}
