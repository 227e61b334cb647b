import { isDeepStrictEqual } from 'node:util';
import {
  type Candle,
  candleEndMs,
  candleId,
  chooseCandle,
  isWellSampled,
  withLogReturn,
  withTicksOf,
} from '../market/candle.ts';
import { pollsDueInHour, type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import { formatSeries } from '../market/series.ts';
import { dayOf, HOUR_MS } from '../market/time.ts';

/** What to write so that the store holds the right candles. */
export interface CandleChanges {
  /** Candles that are new or changed. */
  put: Candle[];
  /** Daily candles that hourly ones replace, and hourly ones with too few ticks to replace a daily one. */
  remove: Candle[];
  /** The candle to keep for each proposed hour or day, in time order, changed or not. */
  chosen: Candle[];
  /** How each series' price path changes; unchanged ones are left out. */
  pathChanges: Map<string, PathChange>;
}

export interface PathChange {
  /** Where the path changes first, epoch ms. */
  fromMs: number;
  /** Whether an existing candle has another path or is removed; otherwise candles are only added. */
  isReplaced: boolean;
}

export interface CandleRules {
  intervals: SamplingIntervals;
  /** Whether the proposals include every tick there ever was, which only the lake has. @default false */
  hasAllTicks?: boolean;
  /**
   * Recorded candles to remove, unless they are proposed again. A killed run may have removed or replaced some of them, but
   * not updated the returns of the candles after them. @default none
   */
  withdrawn?: readonly Candle[];
}

/**
 * Compares proposed candles (from ticks or from history) with the existing ones.
 *
 * - Ticks win if there are enough of them ({@link isWellSampled}), or if there is nothing else.
 * - A daily candle gives way to hourly ones as soon as one of them is backfilled or well sampled. Until then the day's
 *   few ticks make no candles.
 * - A candle never loses ticks, unless the proposal has them all: they may have been deleted since.
 *
 * The polls due of an existing candle stay as they are.
 *
 * @param existing the stored candles of the proposals' times, the hour (day) before and after each, and both kinds of
 *   candle of their days
 */
export function candleChanges(
  proposals: readonly Candle[],
  existing: readonly Candle[],
  rules: CandleRules,
): CandleChanges {
  const before = new Map(existing.map((candle) => [candleId(candle), candle]));
  const after = new Map(before);
  const remove = new Map<string, Candle>();
  const chosen = new Map<string, Candle>();
  const keep = (candle: Candle) => {
    const id = candleId(candle);
    after.set(id, candle);
    chosen.set(id, candle);
    remove.delete(id);
  };
  const drop = (candle: Candle | undefined) => {
    if (!candle) return;
    const id = candleId(candle);
    after.delete(id);
    chosen.delete(id);
    if (before.has(id)) remove.set(id, candle);
  };

  const { withdrawn = [] } = rules;
  for (const candle of withdrawn) {
    const stored = after.get(candleId(candle));
    if (stored?.source === 'backfill') drop(stored);
  }
  // Hours first: they decide whether the day's own candle is kept.
  for (const proposal of proposals.toSorted((a, b) => a.hours - b.hours)) {
    const candle = choose(proposal, after.get(candleId(proposal)), rules);
    if (candle.hours === 24) {
      const hours = hoursOf(candle).flatMap((id) => after.get(id) ?? []);
      if (hours.some((hour) => replacesDay(hour, rules))) continue;
      for (const hour of hours) drop(hour);
      keep(candle);
    } else {
      const day = after.get(dayIdOf(candle));
      if (day && !replacesDay(candle, rules)) drop(after.get(candleId(candle)));
      else {
        drop(day);
        keep(candle);
      }
    }
  }

  const put: Candle[] = [];
  const pathChanges = new Map<string, PathChange>();
  const pathChanged = (candle: Candle, isReplaced: boolean) => {
    const series = formatSeries(candle);
    const { startMs } = candle;
    const known = pathChanges.get(series) ?? { fromMs: startMs, isReplaced };
    pathChanges.set(series, {
      fromMs: Math.min(known.fromMs, startMs),
      isReplaced: known.isReplaced || isReplaced,
    });
  };
  for (const candle of remove.values()) pathChanged(candle, true);
  const touched = new Set(
    [...chosen.values(), ...remove.values(), ...withdrawn].flatMap((candle) => [
      candleId(candle),
      idAt(candle, candleEndMs(candle)),
    ]),
  );
  for (const id of touched) {
    const candle = after.get(id);
    if (!candle) continue;
    const old = before.get(id);
    const previousMs = candle.startMs - candle.hours * HOUR_MS;
    const linked = withLogReturn(candle, after.get(idAt(candle, previousMs)));
    if (chosen.has(id)) chosen.set(id, linked);
    if (isUnchanged(old, linked)) continue;
    put.push(linked);
    if (!isDeepStrictEqual(old?.path, linked.path)) pathChanged(linked, old !== undefined);
  }
  const inTimeOrder = [...chosen.values()].sort((a, b) => a.startMs - b.startMs);
  return { put, remove: [...remove.values()], chosen: inTimeOrder, pathChanges };
}

function choose(proposal: Candle, old: Candle | undefined, { intervals, hasAllTicks }: CandleRules): Candle {
  const known = old?.samples ?? 0;
  if (proposal.source === 'ticks') {
    const ticks = old?.source === 'ticks' && !hasAllTicks ? withTicksOf(old, proposal) : proposal;
    const backfill = old?.source === 'backfill' ? old : undefined;
    const pollsDue = old?.polls_due ?? proposal.polls_due ?? pollsDueAt(proposal, intervals);
    const candle = chooseCandle({ ticks, backfill, pollsDue }) ?? ticks;
    return hasAllTicks ? candle : { ...candle, samples: Math.max(candle.samples, known) };
  }
  if (old?.source === 'ticks') {
    const pollsDue = old.polls_due ?? pollsDueAt(proposal, intervals);
    return chooseCandle({ ticks: old, backfill: proposal, pollsDue }) ?? proposal;
  }
  // The new history replaces the old; the ticks seen in the hour remain seen.
  const { polls_due } = old ?? {};
  return { ...proposal, samples: known, ...(polls_due === undefined ? {} : { polls_due }) };
}

/** Whether an hourly candle is good enough to replace the daily one. */
function replacesDay(candle: Candle, { intervals }: CandleRules): boolean {
  const { source, samples, polls_due } = candle;
  return source === 'backfill' || isWellSampled(samples, polls_due ?? pollsDueAt(candle, intervals));
}

function pollsDueAt(candle: Candle, intervals: SamplingIntervals): number {
  return pollsDueInHour(candle.startMs, samplingIntervalOf(candle, intervals));
}

/** Fields that older candles do not have. A candle is not rewritten just to add one of them. */
const ADDED_FIELDS = ['polls_due', 'volume', 'turnover'] as const;

function isUnchanged(old: Candle | undefined, candle: Candle): boolean {
  const compared = { ...candle };
  for (const field of ADDED_FIELDS) if (old?.[field] === undefined) delete compared[field];
  return isDeepStrictEqual(old, compared);
}

function dayIdOf(candle: Candle): string {
  return idAt({ ...candle, hours: 24 }, dayOf(candle.startMs));
}

/** The ids of a day's hourly candles. */
function hoursOf(day: Candle): string[] {
  return Array.from({ length: 24 }, (_, hour) => idAt({ ...day, hours: 1 }, day.startMs + hour * HOUR_MS));
}

function idAt(candle: Candle, startMs: number): string {
  return candleId({ ...candle, startMs });
}
