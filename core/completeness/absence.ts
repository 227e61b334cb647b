import type { Listing } from '../ingest/listings.ts';
import { HOUR_MS } from '../market/time.ts';
import type { Window } from '../market/window.ts';
import type { HourState } from './states.ts';

/** What is known about why a series has no data at times. */
export interface Absence {
  /** Where its market did not exist, ascending. */
  notListed: readonly Window[];
  /** The hours in which the exchange gave no prices of its market, by their starts in epoch ms. */
  exchangeDown: ReadonlySet<number>;
  /** The slots of the first and the last poll of its market that found anything, epoch ms; undefined if there was none. */
  polls: { firstMs: number; lastMs: number } | undefined;
}

/** Where a series' market did not exist. @param listings of one series, in time order */
export function notListedOf(listings: readonly Pick<Listing, 'event' | 'at'>[]): Window[] {
  const windows: Window[] = [];
  let goneMs = Number.NEGATIVE_INFINITY;
  let exists = false;
  for (const [position, { event, at }] of listings.entries()) {
    const atMs = Date.parse(at);
    if (event === 'ended') {
      if (exists || position === 0) goneMs = atMs;
      exists = false;
    } else {
      if (!exists) windows.push({ fromMs: goneMs, toMs: atMs });
      exists = true;
    }
  }
  if (listings.length > 0 && !exists) windows.push({ fromMs: goneMs, toMs: Number.POSITIVE_INFINITY });
  return windows;
}

/** The state of an hour without data. @param hourMs its start, epoch ms */
export function stateWithoutData(
  hourMs: number,
  { notListed, exchangeDown }: Pick<Absence, 'notListed' | 'exchangeDown'>,
): Extract<HourState, 'not listed' | 'exchange down' | 'missing'> {
  // If the market existed for part of the hour, there could have been prices.
  if (notListed.some(({ fromMs, toMs }) => fromMs <= hourMs && hourMs + HOUR_MS <= toMs)) return 'not listed';
  return exchangeDown.has(hourMs) ? 'exchange down' : 'missing';
}

/** Why hours of a window have no data. */
export interface WithoutData {
  /** How many there are; the next three add up to it. */
  hours: number;
  notListed: number;
  exchangeDown: number;
  missing: number;
  /** Of `missing`: before the first poll of its market that found anything. */
  beforeFirstPoll: number;
  /** Of `missing`: after the last one. */
  afterLastPoll: number;
}

/** Counts the hours of windows without data. @param windows whole hours */
export function withoutData(windows: readonly Window[], absence: Absence): WithoutData {
  const counts = {
    hours: 0,
    notListed: 0,
    exchangeDown: 0,
    missing: 0,
    beforeFirstPoll: 0,
    afterLastPoll: 0,
  };
  const { polls } = absence;
  for (const { fromMs, toMs } of windows) {
    for (let hourMs = fromMs; hourMs < toMs; hourMs += HOUR_MS) {
      counts.hours += 1;
      const state = stateWithoutData(hourMs, absence);
      if (state === 'not listed') counts.notListed += 1;
      else if (state === 'exchange down') counts.exchangeDown += 1;
      else {
        counts.missing += 1;
        if (polls && hourMs + HOUR_MS <= polls.firstMs) counts.beforeFirstPoll += 1;
        if (polls && hourMs > polls.lastMs) counts.afterLastPoll += 1;
      }
    }
  }
  return counts;
}
