import { type Move, moveId } from '../market/directional-change.ts';
import type { CandleStore, LedgerStore, MoveStore } from './ports.ts';
import {
  hasThresholds,
  movesUnderWay,
  newLedger,
  rewind,
  type SeriesLedger,
  throughMs,
  walk,
} from './series-ledger.ts';
import type { SummarySettings } from './settings.ts';

/** Candles of one series that are walked at once. */
const PAGE_CANDLES = 500;
/** Series that are walked at once: their moves are written together. */
const PAGE_SERIES = 10;

/**
 * Makes the moves of every stale series again from the paths of its candles: those that the store holds after the
 * point that the ledger went back to are replaced. Killed or out of time, the next call goes on.
 * @returns whether no stale series is left, and how many moves were written
 */
export async function makeMovesAgain(
  settings: SummarySettings,
  store: CandleStore & MoveStore & LedgerStore,
  hasTime: () => boolean,
): Promise<{ done: boolean; moves: number; series: number }> {
  const report = { done: false, moves: 0, series: 0 };
  for (;;) {
    const stale = await store.staleLedgers(PAGE_SERIES);
    if (stale.length === 0) return { ...report, done: true };
    let ledgers = stale.map((ledger) =>
      hasThresholds(ledger, settings.thresholds) ? ledger : newLedger(ledger, settings.thresholds),
    );
    while (ledgers.length > 0) {
      if (!hasTime()) return report;
      const pages = await Promise.all(ledgers.map((ledger) => walkPage(ledger, store)));
      // First the moves, then that they are made: killed in between, they are made once more.
      await store.writeMoves(
        pages.flatMap(({ moves }) => moves),
        pages.flatMap(({ untrueIds }) => untrueIds),
      );
      await store.writeLedgers(pages.map(({ ledger }) => ledger));
      report.moves += pages.reduce((sum, { moves }) => sum + moves.length, 0);
      ledgers = pages.map(({ ledger }) => ledger).filter(({ stale: isStale }) => isStale);
    }
    report.series += stale.length;
  }
}

/** What walking the next candles of a stale series comes to; after the last ones it is not stale any more. */
async function walkPage(
  ledger: SeriesLedger,
  store: CandleStore & MoveStore,
): Promise<{ ledger: SeriesLedger; moves: Move[]; untrueIds: string[] }> {
  const fromMs = ledger.through === undefined ? undefined : throughMs(ledger);
  const candles = await store.candlesOf(ledger, { fromMs, limit: PAGE_CANDLES });
  const step = walk(ledger, candles);
  const atEnd = candles.length < PAGE_CANDLES;
  // What was under way at the ledger's point may have been completed by a move that is not true any more.
  const moves = new Map<string, Move>(
    [...movesUnderWay(ledger), ...step.moves].map((move) => [moveId(move), move]),
  );
  const inStore = await store.moveIds(ledger, { fromMs, toMs: atEnd ? undefined : throughMs(step.ledger) });
  return {
    ledger: { ...step.ledger, stale: !atEnd },
    moves: [...moves.values()],
    untrueIds: inStore.filter((id) => !moves.has(id)),
  };
}

/** Makes every series' moves from a time on (epoch ms) again, whatever the store holds of them. */
export async function markStale(store: LedgerStore, fromMs: number): Promise<void> {
  for await (const page of store.allLedgers()) {
    const affected = page.filter((ledger) => throughMs(ledger) > fromMs);
    await store.writeLedgers(affected.map((ledger) => rewind(ledger, fromMs)));
  }
}
