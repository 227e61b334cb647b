import { type Candle, candleEndMs } from '../market/candle.ts';
import {
  advance,
  type DetectedMove,
  initialMoveState,
  type Move,
  type MoveState,
  moveId,
  moveOf,
} from '../market/directional-change.ts';
import type { Series } from '../market/series.ts';
import { formatSeries } from '../market/series.ts';
import { dayOf } from '../market/time.ts';

/** The version of the ledger's shape. */
export const LEDGER_VERSION = 1;

/** Where the detectors were when every candle that starts before `through` had been walked, and none after it. */
export interface LedgerPoint {
  /** ISO 8601 UTC; absent before the first candle. */
  through?: string;
  /** One for each threshold, in their order. */
  detectors: MoveState[];
}

/** What the move detectors of one series have to remember: one small document a series. */
export interface SeriesLedger extends Series, LedgerPoint {
  v: typeof LEDGER_VERSION;
  /** Fractions. */
  thresholds: number[];
  /** The store may hold moves after `through` that are not true any more, and candles that were not walked. */
  stale: boolean;
  /** Earlier points to go back to, ascending: one a day, of the last days that had candles. */
  checkpoints: LedgerPoint[];
}

/** Enough to go back the 48 hours within which late ticks are looked for, however they lie in their days. */
const CHECKPOINTS_KEPT = 4;

/** The ledger of a series that was never walked. It is stale: there may be candles already. */
export function newLedger(series: Series, thresholds: readonly number[]): SeriesLedger {
  const { exchange, category, symbol } = series;
  return {
    v: LEDGER_VERSION,
    exchange,
    category,
    symbol,
    thresholds: [...thresholds],
    detectors: thresholds.map(initialMoveState),
    stale: true,
    checkpoints: [],
  };
}

/** Whether the ledger's detectors are those that are wanted. */
export function hasThresholds(ledger: SeriesLedger, thresholds: readonly number[]): boolean {
  return ledger.thresholds.join() === thresholds.join();
}

/** The end of what was walked, epoch ms; −∞ before the first candle. */
export function throughMs({ through }: LedgerPoint): number {
  return through === undefined ? Number.NEGATIVE_INFINITY : Date.parse(through);
}

/**
 * Goes back so far that candles from `toMs` (epoch ms) on are walked again, and says that moves have to be made again.
 */
export function rewind(ledger: SeriesLedger, toMs: number): SeriesLedger {
  const { through: _, ...rest } = ledger;
  if (throughMs(ledger) <= toMs) return { ...ledger, stale: true };
  const checkpoints = ledger.checkpoints.filter((point) => throughMs(point) <= toMs);
  const point = checkpoints.at(-1) ?? { detectors: ledger.thresholds.map(initialMoveState) };
  return { ...rest, ...point, checkpoints, stale: true };
}

/** The moves that are under way at the ledger's point: known, but for their end. */
export function movesUnderWay(ledger: SeriesLedger): Move[] {
  return ledger.detectors.flatMap(({ underWay }) => (underWay ? [moveOf(ledger, underWay)] : []));
}

/** A candle that starts before what was walked already. */
export class LedgerOrderError extends Error {
  override readonly name = 'LedgerOrderError';
}

/**
 * Walks the paths of candles, in time order, from where the ledger stands.
 * @returns the ledger after them, and the moves that were confirmed or completed, each once as it stands at the end
 * @throws LedgerOrderError
 */
export function walk(
  ledger: SeriesLedger,
  candles: readonly Candle[],
): { ledger: SeriesLedger; moves: Move[] } {
  const moves = new Map<string, Move>();
  const keep = (move: DetectedMove | undefined) => {
    if (move) moves.set(moveId({ ...ledger, ...move }), moveOf(ledger, move));
  };
  const detectors = [...ledger.detectors];
  let { through, checkpoints } = ledger;
  for (const candle of candles) {
    const startMs = Date.parse(candle.start);
    if (through !== undefined) {
      if (startMs < Date.parse(through)) {
        throw new LedgerOrderError(
          `${moveOrderName(candle)} starts before ${through}, which was walked already`,
        );
      }
      // The last candle ended in an earlier day than this one will: a point to come back to.
      const isNewDay = dayOf(Date.parse(through) - 1) < dayOf(startMs);
      if (isNewDay && checkpoints.at(-1)?.through !== through) {
        checkpoints = [...checkpoints, { through, detectors: [...detectors] }].slice(-CHECKPOINTS_KEPT);
      }
    }
    for (const [position, threshold] of ledger.thresholds.entries()) {
      let state = detectors[position] ?? initialMoveState();
      for (const [offsetMs, price] of candle.path) {
        const step = advance(state, threshold, price, startMs + offsetMs);
        state = step.state;
        keep(step.completed);
        keep(step.confirmed);
      }
      detectors[position] = state;
    }
    through = new Date(candleEndMs(candle)).toISOString();
  }
  return {
    ledger: { ...ledger, ...(through === undefined ? {} : { through }), detectors, checkpoints },
    moves: [...moves.values()],
  };
}

function moveOrderName(candle: Candle): string {
  return `The candle of ${formatSeries(candle)} at ${candle.start}`;
}
