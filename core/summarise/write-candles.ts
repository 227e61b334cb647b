import type { Candle } from '../market/candle.ts';
import type { Move } from '../market/directional-change.ts';
import { formatSeries } from '../market/series.ts';
import { type CandleRules, candleChanges, type PathChange } from './candle-changes.ts';
import type { CandleStore, LedgerStore, MoveStore } from './ports.ts';
import { newLedger, rewind, type SeriesLedger, throughMs, walk, withThresholds } from './series-ledger.ts';
import type { SummarySettings } from './settings.ts';

export interface WrittenCandles {
  /** Candles that are new or changed. */
  candles: number;
  /** Moves written with them; those of stale series are made later. */
  moves: number;
  /** Candles that are gone. */
  removed: number;
}

/**
 * When the moves that follow from new candles are made. `now`: with the candles, if nothing before them has changed;
 * only for a caller that writes every candle in time order. `later`: by {@link remakeMoves}.
 */
export type MakeMoves = 'now' | 'later';

export interface WriteOptions extends Pick<CandleRules, 'hasAllTicks' | 'withdrawn'> {
  makeMoves: MakeMoves;
  /**
   * Called before a daily candle gives way to hourly ones. Other hours of the day (it starts at `dayMs`, epoch ms) may
   * have ticks that did not count while it stood, so they have to be summarised again.
   */
  beforeReopening: (dayMs: number) => Promise<void>;
}

/**
 * Writes candles, and their moves if they can be made now; a series whose moves have to be made again is marked stale
 * for {@link remakeMoves}.
 *
 * The order makes it safe to be killed at any point: a ledger is marked stale before candles it has walked change, and
 * moves are written before the ledger that has walked them. Whatever was half done is done again.
 *
 * @param proposals candles from ticks or from history
 * @param existing see {@link candleChanges}
 */
export async function writeCandles(
  proposals: readonly Candle[],
  existing: readonly Candle[],
  { makeMoves, hasAllTicks = false, withdrawn = [], beforeReopening }: WriteOptions,
  { thresholds, samplingIntervals: intervals }: SummarySettings,
  store: Pick<CandleStore, 'withCandles' | 'writeCandles'> & MoveStore & LedgerStore,
): Promise<WrittenCandles> {
  const changes = candleChanges(proposals, existing, { intervals, hasAllTicks, withdrawn });
  const bySeries = Map.groupBy([...changes.chosen, ...changes.remove], formatSeries);
  const all = [...bySeries.values()].flatMap(([first]) => first ?? []);
  const known = await store.ledgers(all);
  const unknown = makeMoves === 'now' ? all.filter((each) => !known.has(formatSeries(each))) : [];
  // A series without a ledger may still have candles. Most are just new, and their moves begin here.
  const withCandles = await store.withCandles(unknown);
  const isNew = new Set(unknown.map(formatSeries).filter((series) => !withCandles.has(series)));
  const ledgers = new Map<string, SeriesLedger>();
  for (const [series, [first]] of bySeries) {
    const ledger = known.get(series) ?? (first && newLedger(first, thresholds));
    const change = changes.pathChanges.get(series);
    if (!ledger || !first) continue;
    ledgers.set(series, rewound(withThresholds(ledger, thresholds), first.startMs, change, makeMoves));
  }
  const marked = [...ledgers].flatMap(([series, ledger]) => (ledger === known.get(series) ? [] : ledger));
  if (marked.length > 0) await store.writeLedgers(marked);

  const reopened = changes.remove.filter(({ hours }) => hours === 24).map(({ startMs }) => startMs);
  if (reopened.length > 0) await beforeReopening(Math.min(...reopened));
  if (changes.put.length > 0 || changes.remove.length > 0) {
    await store.writeCandles(changes.put, changes.remove);
  }

  const moves: Move[] = [];
  const walked: SeriesLedger[] = [];
  for (const [series, candles] of Map.groupBy(makeMoves === 'now' ? changes.chosen : [], formatSeries)) {
    const ledger = ledgers.get(series);
    if (!ledger || (ledger.stale && !isNew.has(series))) continue;
    const ahead = candles.filter(({ startMs }) => startMs >= throughMs(ledger));
    if (ahead.length === 0) continue;
    const step = walk({ ...ledger, stale: false }, ahead);
    moves.push(...step.moves);
    walked.push(step.ledger);
  }
  if (moves.length > 0) await store.writeMoves(moves, []);
  if (walked.length > 0) await store.writeLedgers(walked);
  return { candles: changes.put.length, moves: moves.length, removed: changes.remove.length };
}

/**
 * The ledger from before the change; the same ledger if it can simply continue.
 * @param firstMs the start of the first candle, epoch ms
 */
function rewound(
  ledger: SeriesLedger,
  firstMs: number,
  change: PathChange | undefined,
  makeMoves: MakeMoves,
): SeriesLedger {
  // A gap may contain candles whose writer was killed, or lost the lease, before it could process them.
  const gap = !ledger.stale && throughMs(ledger) < firstMs ? rewind(ledger, firstMs) : ledger;
  if (!change) return gap;
  const { fromMs, isReplaced } = change;
  // A killed run may have written moves of a candle that is now replaced, without having noted it in the ledger.
  const isWalked = isReplaced || fromMs < throughMs(ledger);
  return isWalked || makeMoves === 'later' ? rewind(ledger, fromMs) : gap;
}
