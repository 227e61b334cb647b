import { isDeepStrictEqual } from 'node:util';
import { type Candle, candleEndMs, candleId, chooseCandle, withLogReturn } from '../market/candle.ts';
import { pollsDueInHour, type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import { formatSeries } from '../market/series.ts';
import { dayOf, HOUR_MS } from '../market/time.ts';

/** What to write so that the store holds the right candles. */
export interface CandleChanges {
  /** Candles that are new or changed. */
  put: Candle[];
  /** Daily candles that hourly ones replace. */
  remove: Candle[];
  /** The candle to keep for each proposed hour or day, in time order, changed or not. */
  chosen: Candle[];
  /** How each series' price path changes; without those that keep theirs. */
  pathChanges: Map<string, PathChange>;
}

export interface PathChange {
  /** Where the path changes first, epoch ms. */
  fromMs: number;
  /** Whether an existing candle has another path or is removed; otherwise candles are only added. */
  isReplaced: boolean;
}

/**
 * Compares proposed candles (from ticks or from history) with the existing ones.
 *
 * Ticks win if they cover at least half of the polls due, or if there is nothing else; a daily candle is kept only for
 * a day without hourly ones. The polls due of an existing candle stay as they are. A candle is never removed for lack
 * of ticks, because they may have been deleted.
 *
 * @param existing the stored candles of the proposals' times, the hour (day) before and after each, and both kinds of
 *   candle of their days
 */
export function candleChanges(
  proposals: readonly Candle[],
  existing: readonly Candle[],
  intervals: SamplingIntervals,
): CandleChanges {
  const before = new Map(existing.map((candle) => [candleId(candle), candle]));
  const after = new Map(before);
  const remove = new Map<string, Candle>();
  const chosen = new Map<string, Candle>();
  const hourlyDays = new Set(existing.filter(({ hours }) => hours === 1).map(dayIdOf));

  // Hours first: they decide whether the day's own candle is kept.
  for (const proposal of proposals.toSorted((a, b) => a.hours - b.hours)) {
    const id = candleId(proposal);
    const dayId = dayIdOf(proposal);
    if (proposal.hours === 24) {
      if (hourlyDays.has(dayId)) continue;
    } else {
      hourlyDays.add(dayId);
      const day = after.get(dayId);
      if (day) remove.set(dayId, day);
      after.delete(dayId);
    }
    const candle = choose(proposal, after.get(id), intervals);
    after.set(id, candle);
    chosen.set(id, candle);
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
  for (const day of remove.values()) pathChanged(day, true);
  const touched = new Set(
    [...chosen.values(), ...remove.values()].flatMap((candle) => [
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

function choose(proposal: Candle, old: Candle | undefined, intervals: SamplingIntervals): Candle {
  const [ticks, backfill] = proposal.source === 'ticks' ? [proposal, old] : [old, proposal];
  if (ticks?.source !== 'ticks') {
    // The new history replaces the old; the ticks seen in the hour remain seen.
    const { samples = proposal.samples, polls_due } = old ?? {};
    return { ...proposal, samples, ...(polls_due === undefined ? {} : { polls_due }) };
  }
  const intervalMs = samplingIntervalOf(proposal, intervals);
  const pollsDue = old?.polls_due ?? pollsDueInHour(proposal.startMs, intervalMs);
  const candidate = backfill?.source === 'backfill' ? backfill : undefined;
  return chooseCandle({ ticks, backfill: candidate, pollsDue }) ?? proposal;
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

function idAt(candle: Candle, startMs: number): string {
  return candleId({ ...candle, startMs });
}
