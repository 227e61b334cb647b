import type { CandleObject } from '../../lake/candle-objects.ts';
import {
  type Candle,
  candleFromHistory,
  candleFromTicks,
  candleId,
  type RecordedPrices,
} from '../../market/candle.ts';
import { formatSeries } from '../../market/series.ts';
import { DAY_MS, dayOf, HOUR_MS, hourOf } from '../../market/time.ts';
import type { Window } from '../../market/window.ts';
import type { SummaryStore, TickHours } from '../../summarise/ports.ts';
import type { SummarySettings } from '../../summarise/settings.ts';
import { type WrittenCandles, writeCandles } from '../../summarise/write-candles.ts';

/** A part of one series' recorded candles to remove. */
export interface Withdrawal {
  /** Holds the candles to remove. */
  object: CandleObject;
  /** Whole UTC days of it. */
  window: Window;
  /** The series' other objects, the most recently written last. */
  others: readonly CandleObject[];
}

export interface WithdrawServices {
  /** The candles of an object. */
  read: (object: CandleObject) => Promise<RecordedPrices[]>;
  /** The object's series, with base and quote if they are known. */
  seriesOf: (object: CandleObject) => Parameters<typeof candleFromHistory>[0];
  /** Every tick of the series' market. */
  ticks: Pick<TickHours, 'firstTickIn' | 'ticksOf'>;
  settings: SummarySettings;
  store: SummaryStore;
}

/**
 * Removes the candles of an object and writes those that would be there without it: from the other objects, and from the
 * ticks of the hours that it covered. `remakeMoves` makes the moves that follow from them.
 */
export async function withdraw(
  { object, window, others }: Withdrawal,
  services: WithdrawServices,
): Promise<WrittenCandles> {
  const { store, settings } = services;
  const existing = await store.candlesOf(object, {
    fromMs: window.fromMs - DAY_MS,
    toMs: window.toMs + 2 * DAY_MS,
  });
  const withdrawn = await proposalsOf(object, window, services);
  const ids = new Set(withdrawn.map(candleId));
  const stored = existing.filter((candle) => candle.source === 'backfill' && ids.has(candleId(candle)));
  const proposals: Candle[] = [];
  for (const other of others) proposals.push(...(await proposalsOf(other, window, services)));
  proposals.push(...(await fromTicks(object, stored, services)));
  // The proposals have the ticks of the days that lose their candle.
  const beforeReopening = async () => {};
  const options = { makeMoves: 'later' as const, hasAllTicks: true, withdrawn, beforeReopening };
  return writeCandles(proposals, existing, options, settings, store);
}

async function proposalsOf(
  object: CandleObject,
  { fromMs, toMs }: Window,
  { read, seriesOf }: WithdrawServices,
): Promise<Candle[]> {
  const spanMs = object.hours * HOUR_MS;
  const rows = (await read(object)).filter(({ startMs }) => startMs >= fromMs && startMs + spanMs <= toMs);
  return rows.map((row) => candleFromHistory(seriesOf(object), row, object.hours));
}

/** The candles of the hours whose ticks did not count while others stood: those with ticks, and those of days. */
async function fromTicks(
  series: CandleObject,
  withdrawn: readonly Candle[],
  { ticks, store }: WithdrawServices,
): Promise<Candle[]> {
  const seen = new Map<number, Candle | undefined>();
  for (const candle of withdrawn) {
    if (candle.hours === 1 && candle.samples > 0) seen.set(candle.startMs, candle);
    if (candle.hours === 1) continue;
    // Later hours are still to be summarised.
    const endMs = Math.min(dayOf(candle.startMs) + DAY_MS, (await store.summarisedUntil()) ?? 0);
    for (let fromMs = candle.startMs; ; ) {
      const tickMs = await ticks.firstTickIn(fromMs, endMs);
      if (tickMs === undefined) break;
      seen.set(hourOf(tickMs), undefined);
      fromMs = hourOf(tickMs) + HOUR_MS;
    }
  }
  const name = formatSeries(series);
  const candles: Candle[] = [];
  for (const [hourMs, before] of seen) {
    const ofSeries = (await ticks.ticksOf(hourMs, series)).find((each) => formatSeries(each.series) === name);
    if (!ofSeries) continue;
    const candle = candleFromTicks(ofSeries.series, hourMs, ofSeries.ticks);
    candles.push(before?.polls_due === undefined ? candle : { ...candle, polls_due: before.polls_due });
  }
  return candles;
}
