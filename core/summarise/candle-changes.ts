import { isDeepStrictEqual } from 'node:util';
import {
  type Candle,
  type CandleHours,
  candleEndMs,
  candleId,
  chooseCandle,
  withLogReturn,
} from '../market/candle.ts';
import { pollsDueInHour, type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import { formatSeries } from '../market/series.ts';
import { dayOf, HOUR_MS } from '../market/time.ts';

/** What has to be written so that new candles stand beside those that were there. */
export interface CandleChanges {
  /** Candles that are new, or not as they were. */
  put: Candle[];
  /** Daily candles that hourly ones replace. */
  remove: Candle[];
  /** The candle that stands for each hour (or day) that was proposed, in time order, changed or not. */
  standing: Candle[];
  /**
   * By series: from where on (epoch ms) its price path is another one than before. `added`: only new candles;
   * `replaced`: a candle that was there has another path, or is gone.
   */
  pathChanges: Map<string, PathChange>;
}

export interface PathChange {
  addedFromMs?: number;
  replacedFromMs?: number;
}

/**
 * Sets proposed candles (from ticks or from history) against those that are there.
 *
 * Which one stands: the ticks' where they hold at least half of the hour's polls or nothing else exists; a daily one
 * only for a day that has no hourly one. A candle is never taken away for want of ticks: they may have been deleted.
 *
 * @param existing what the store holds of the proposals' times, the hour (day) before and after each, and both
 *   kinds of candle of their days
 */
export function candleChanges(
  proposals: readonly Candle[],
  existing: readonly Candle[],
  samplingIntervals: SamplingIntervals,
): CandleChanges {
  const before = new Map(existing.map((candle) => [candleId(candle), candle]));
  const after = new Map(before);
  const remove = new Map<string, Candle>();
  const standing = new Map<string, Candle>();
  const hourlyDays = new Set(existing.filter(({ hours }) => hours === 1).map(dayKey));

  // Hours first: they decide whether a day's own candle stands.
  for (const proposal of proposals.toSorted((a, b) => a.hours - b.hours)) {
    const id = candleId(proposal);
    if (proposal.hours === 24) {
      if (hourlyDays.has(dayKey(proposal))) continue;
    } else {
      hourlyDays.add(dayKey(proposal));
      const dayId = candleId({ ...proposal, hours: 24, start: isoTime(dayOf(Date.parse(proposal.start))) });
      const day = after.get(dayId);
      if (day) remove.set(dayId, day);
      after.delete(dayId);
    }
    const candle = choose(proposal, after.get(id), pollsDueOf(proposal, samplingIntervals));
    after.set(id, candle);
    standing.set(id, candle);
  }

  const put: Candle[] = [];
  const pathChanges = new Map<string, PathChange>();
  const changed = (candle: Candle, kind: keyof PathChange) => {
    const change = pathChanges.get(formatSeries(candle)) ?? {};
    change[kind] = Math.min(change[kind] ?? Number.POSITIVE_INFINITY, Date.parse(candle.start));
    pathChanges.set(formatSeries(candle), change);
  };
  for (const day of remove.values()) changed(day, 'replacedFromMs');
  const touched = new Set(
    [...standing.values(), ...remove.values()].flatMap((c) => [candleId(c), nextId(c)]),
  );
  for (const id of touched) {
    const candle = after.get(id);
    if (!candle) continue;
    const old = before.get(id);
    const linked = withLogReturn(candle, after.get(previousId(candle)));
    if (standing.has(id)) standing.set(id, linked);
    if (isDeepStrictEqual(old, linked)) continue;
    put.push(linked);
    if (!old) changed(linked, 'addedFromMs');
    else if (!isDeepStrictEqual(old.path, linked.path)) changed(linked, 'replacedFromMs');
  }
  const inTimeOrder = [...standing.values()].sort((a, b) => a.start.localeCompare(b.start));
  return { put, remove: [...remove.values()], standing: inTimeOrder, pathChanges };
}

function choose(proposal: Candle, old: Candle | undefined, pollsDue: number): Candle {
  if (proposal.source === 'ticks') {
    return chooseCandle({ ticks: proposal, backfill: backfilled(old), pollsDue }) ?? proposal;
  }
  if (old?.source === 'ticks') return chooseCandle({ ticks: old, backfill: proposal, pollsDue }) ?? proposal;
  // The ticks that the old one did not stand for were seen all the same.
  return { ...proposal, samples: old?.samples ?? proposal.samples };
}

function pollsDueOf(candle: Candle, intervals: SamplingIntervals): number {
  return pollsDueInHour(Date.parse(candle.start), samplingIntervalOf(candle, intervals));
}

function backfilled(candle: Candle | undefined): Candle | undefined {
  return candle?.source === 'backfill' ? candle : undefined;
}

function dayKey(candle: Candle): string {
  return `${formatSeries(candle)}:${dayOf(Date.parse(candle.start))}`;
}

function nextId(candle: Candle): string {
  return candleId({ ...candle, start: isoTime(candleEndMs(candle)) });
}

function previousId(candle: Candle): string {
  return candleId({ ...candle, start: isoTime(Date.parse(candle.start) - spanMs(candle.hours)) });
}

/** The length of a candle in ms. */
function spanMs(hours: CandleHours): number {
  return hours * HOUR_MS;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
