import { moveId } from '../market/directional-change.ts';
import type { CandleStore, LedgerStore, MoveStore } from './ports.ts';
import {
  movesUnderWay,
  newLedger,
  rewind,
  type SeriesLedger,
  throughMs,
  walk,
  withThresholds,
} from './series-ledger.ts';
import type { SummarySettings } from './settings.ts';

/** Candles of one series that are walked at once. */
const PAGE_CANDLES = 500;
/** Series that are walked at once; their moves are written together. */
const PAGE_SERIES = 10;

/**
 * Makes the moves of every stale series, and of every series that was walked with other thresholds, from its candles
 * again, from the point its ledger was rewound to. If killed or out of time, the next call continues.
 * @returns `done`: no stale series is left; `moves`: written; `series`: remade
 */
export async function remakeMoves(
  settings: SummarySettings,
  store: CandleStore & MoveStore & LedgerStore,
  hasTime: () => boolean,
): Promise<{ done: boolean; moves: number; series: number }> {
  const report = { done: false, moves: 0, series: 0 };
  await markOtherThresholds(settings, store);
  for (;;) {
    const stale = await store.staleLedgers(PAGE_SERIES);
    if (stale.length === 0) return { ...report, done: true };
    let ledgers = stale.map((ledger) => withThresholds(ledger, settings.thresholds));
    while (ledgers.length > 0) {
      if (!hasTime()) return report;
      const pages = await Promise.all(ledgers.map((ledger) => walkPage(ledger, store)));
      const moves = pages.flatMap((page) => page.moves);
      const obsoleteIds = pages.flatMap((page) => page.obsoleteIds);
      // Moves before ledgers: if killed in between, the page is walked once more.
      await store.writeMoves(moves, obsoleteIds);
      ledgers = pages.map(({ ledger }) => ledger);
      await store.writeLedgers(ledgers);
      report.moves += moves.length;
      ledgers = ledgers.filter((ledger) => ledger.stale);
    }
    report.series += stale.length;
  }
}

/** A series without new candles would keep the moves of the thresholds that it was walked with. */
async function markOtherThresholds({ thresholds }: SummarySettings, store: LedgerStore): Promise<void> {
  for await (const page of store.walkedThresholds()) {
    const others = page.filter((walked) => walked.thresholds.join() !== thresholds.join());
    if (others.length > 0) await store.writeLedgers(others.map((series) => newLedger(series, thresholds)));
  }
}

/** Walks the next candles of a stale series. After the last ones it is no longer stale. */
async function walkPage(ledger: SeriesLedger, store: CandleStore & MoveStore) {
  const fromMs = ledger.through === undefined ? undefined : throughMs(ledger);
  const candles = await store.candlesOf(ledger, { fromMs, limit: PAGE_CANDLES });
  const step = walk(ledger, candles);
  const atEnd = candles.length < PAGE_CANDLES;
  // The stored version of a move under way may have been completed by a move that is now obsolete.
  const moves = new Map([...movesUnderWay(ledger), ...step.moves].map((move) => [moveId(move), move]));
  const stored = await store.moveIds(ledger, { fromMs, toMs: atEnd ? undefined : throughMs(step.ledger) });
  return {
    ledger: { ...step.ledger, stale: !atEnd },
    moves: [...moves.values()],
    obsoleteIds: stored.filter((id) => !moves.has(id)),
  };
}

/** Has every series' moves from a time on (epoch ms) made again by {@link remakeMoves}. */
export async function markStale(store: LedgerStore, fromMs: number): Promise<void> {
  for await (const page of store.allLedgers()) {
    const affected = page.filter((ledger) => throughMs(ledger) > fromMs);
    await store.writeLedgers(affected.map((ledger) => rewind(ledger, fromMs)));
  }
}
