import type { Candle } from '../market/candle.ts';
import type { Move } from '../market/directional-change.ts';
import { formatSeries } from '../market/series.ts';
import { type CandleChanges, candleChanges } from './candle-changes.ts';
import type { CandleStore, LedgerStore, MoveStore } from './ports.ts';
import { hasThresholds, newLedger, rewind, type SeriesLedger, throughMs, walk } from './series-ledger.ts';
import type { SummarySettings } from './settings.ts';

/** What writing some candles did. */
export interface WrittenCandles {
  /** Candles that are new, or not as they were. */
  candles: number;
  /** Moves written on the way; those of stale series are made later. */
  moves: number;
}

/**
 * When the moves that follow from new candles are made. `atOnce`: with the candles, where nothing before them has
 * changed; only for one who writes every candle in time order, and after a kill goes on where it was. `later`: by
 * {@link makeMovesAgain}.
 */
export type MovesFollow = 'atOnce' | 'later';

/**
 * Writes candles and, where they follow at once, their moves; a series whose moves have to be made again is marked
 * stale, for {@link makeMovesAgain}.
 *
 * In this order, so that it may be killed at any point: a ledger is marked stale before a candle that it has walked
 * changes; moves are written before the ledger that has walked them. What was done halfway is done again.
 *
 * @param proposals candles from ticks or from history
 * @param existing see {@link candleChanges}
 */
export async function writeCandles(
  proposals: readonly Candle[],
  existing: readonly Candle[],
  movesFollow: MovesFollow,
  settings: SummarySettings,
  store: Pick<CandleStore, 'writeCandles'> & MoveStore & LedgerStore,
): Promise<WrittenCandles> {
  const changes = candleChanges(proposals, existing, settings.samplingIntervals);
  const names = new Map(changes.chosen.map((candle) => [formatSeries(candle), candle]));
  const known = await store.ledgers([...names.values()]);
  const ledgers = new Map<string, SeriesLedger>();
  const rewound: SeriesLedger[] = [];
  for (const [series, name] of names) {
    const before = known.get(series);
    const after = afterChanges(
      before ?? newLedger(name, settings.thresholds),
      changes,
      movesFollow,
      settings,
    );
    ledgers.set(series, after);
    if (after !== before) rewound.push(after);
  }
  // Before the candles: killed in between, somebody still knows.
  if (rewound.length > 0) await store.writeLedgers(rewound);

  if (changes.put.length > 0 || changes.remove.length > 0) {
    await store.writeCandles(changes.put, changes.remove);
  }

  const moves: Move[] = [];
  const walked: SeriesLedger[] = [];
  const inOrder = movesFollow === 'atOnce' ? changes.chosen : [];
  for (const [series, candles] of Map.groupBy(inOrder, formatSeries)) {
    const ledger = ledgers.get(series);
    if (!ledger || ledger.stale) continue;
    const ahead = candles.filter(({ start }) => Date.parse(start) >= throughMs(ledger));
    if (ahead.length === 0) continue;
    const step = walk(ledger, ahead);
    moves.push(...step.moves);
    walked.push(step.ledger);
  }
  if (moves.length > 0) await store.writeMoves(moves, []);
  if (walked.length > 0) await store.writeLedgers(walked);
  return { candles: changes.put.length, moves: moves.length };
}

/** The ledger, gone back to before what changes; itself where it can go on. */
function afterChanges(
  ledger: SeriesLedger,
  { pathChanges }: CandleChanges,
  movesFollow: MovesFollow,
  { thresholds }: SummarySettings,
): SeriesLedger {
  // Other thresholds were configured: everything is walked anew.
  if (!hasThresholds(ledger, thresholds)) return newLedger(ledger, thresholds);
  const { addedFromMs = Number.POSITIVE_INFINITY, replacedFromMs = Number.POSITIVE_INFINITY } =
    pathChanges.get(formatSeries(ledger)) ?? {};
  // A run may have been killed after it wrote the moves of a candle that is another one now.
  if (replacedFromMs < Number.POSITIVE_INFINITY) return rewind(ledger, Math.min(addedFromMs, replacedFromMs));
  if (addedFromMs === Number.POSITIVE_INFINITY) return ledger;
  return movesFollow === 'later' || addedFromMs < throughMs(ledger) ? rewind(ledger, addedFromMs) : ledger;
}
