import type { Candle } from '../market/candle.ts';
import { pollsDueInHour, pollsDueInPart } from '../market/sampling.ts';
import { HOUR_MS, hourOf } from '../market/time.ts';
import { hoursIn, type Window } from '../market/window.ts';

/** The part of a window with data, from 0 to 1. The part of a daily candle outside the window does not count. */
export function coverageOf(hours: number, window: Window): number {
  return Math.min(1, hours / hoursIn(window));
}

/** How many hours candles cover; a daily one covers 24. */
export function hoursCovered(candles: Iterable<Pick<Candle, 'hours'>>): number {
  let covered = 0;
  for (const { hours } of candles) covered += hours;
  return covered;
}

/** The coverage of a window that is answered from ticks: polls seen ÷ polls due. */
export function pollCoverage(
  samples: number,
  hours: readonly Pick<Candle, 'startMs' | 'polls_due'>[],
  window: Window,
  samplingIntervalMs: number,
): number {
  // A window shorter than the interval may contain a poll although none was due.
  return Math.min(1, samples / Math.max(1, pollsDueIn(hours, window, samplingIntervalMs)));
}

/**
 * How many polls were due in a window: for each hour what its candle says, or what the configured interval
 * implies. An hour without data counts like the hour before it.
 */
function pollsDueIn(
  hours: readonly Pick<Candle, 'startMs' | 'polls_due'>[],
  { fromMs, toMs }: Window,
  samplingIntervalMs: number,
): number {
  const byHour = new Map(hours.map(({ startMs, polls_due }) => [startMs, polls_due]));
  let recorded = hours[0]?.polls_due;
  let due = 0;
  for (let hourMs = hourOf(fromMs); hourMs < toMs; hourMs += HOUR_MS) {
    if (byHour.has(hourMs)) recorded = byHour.get(hourMs);
    const inHour = recorded ?? pollsDueInHour(hourMs, samplingIntervalMs);
    due += pollsDueInPart(inHour, Math.max(0, fromMs - hourMs), Math.min(HOUR_MS, toMs - hourMs));
  }
  return due;
}
