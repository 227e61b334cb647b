/** What is known of one series in one hour. */
export const HOUR_STATES = ['present', 'partial', 'exchange down', 'not listed', 'missing'] as const;

/**
 * `present`: there is a recorded candle, or ticks of at least half of the polls that were due. `partial`: there are only
 * ticks, of fewer polls. Without any data: `not listed`: its market did not exist; `exchange down`: the exchange was asked
 * and gave no prices; `missing`: nothing explains it.
 */
export type HourState = (typeof HOUR_STATES)[number];

/** Where the prices of an hour come from: our polls, the exchange's own candles, or a file. */
export const ORIGINS = ['ticks', 'exchange', 'file'] as const;
export type Origin = (typeof ORIGINS)[number];

/** Whether an hour with ticks of this many polls counts as present. */
export function isPresent(samples: number, pollsDue: number): boolean {
  return samples * 2 >= pollsDue;
}
