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
import { formatSeries, type Series } from '../market/series.ts';
import { dayOf } from '../market/time.ts';

/** The state of the detectors after every candle that starts before `through`. */
export interface LedgerPoint {
  /** ISO 8601 UTC; absent before the first candle. */
  through?: string;
  /** One for each threshold, in the same order. */
  detectors: MoveState[];
}

/** The state of one series' move detectors: one small document per series. */
export interface SeriesLedger extends Series, LedgerPoint {
  v: 1;
  /** Fractions. */
  thresholds: number[];
  /** The store may have obsolete moves after `through`, and candles that were not walked. */
  stale: boolean;
  /** Earlier points to rewind to, ascending: one for each of the last days with candles. */
  checkpoints: LedgerPoint[];
}

/** Enough for the 48 hours in which late ticks are looked for, at whatever time of day they begin. */
const CHECKPOINTS_KEPT = 4;

/** The ledger of a series that was never walked. It is stale, because there may be candles already. */
export function newLedger(series: Series, thresholds: readonly number[]): SeriesLedger {
  const { exchange, category, symbol } = series;
  return {
    v: 1,
    exchange,
    category,
    symbol,
    thresholds: [...thresholds],
    detectors: thresholds.map(initialMoveState),
    stale: true,
    checkpoints: [],
  };
}

/** The ledger if it has these thresholds, else a new one: all candles have to be processed again. */
export function withThresholds(ledger: SeriesLedger, thresholds: readonly number[]): SeriesLedger {
  return ledger.thresholds.join() === thresholds.join() ? ledger : newLedger(ledger, thresholds);
}

/** The end of what was walked, in epoch ms; −∞ before the first candle. */
export function throughMs({ through }: LedgerPoint): number {
  return through === undefined ? Number.NEGATIVE_INFINITY : Date.parse(through);
}

/** Goes back to a point at or before `toMs` (epoch ms), and marks the ledger stale. */
export function rewind(ledger: SeriesLedger, toMs: number): SeriesLedger {
  const { through: _, ...rest } = ledger;
  if (throughMs(ledger) <= toMs) return { ...ledger, stale: true };
  const checkpoints = ledger.checkpoints.filter((point) => throughMs(point) <= toMs);
  const point = checkpoints.at(-1) ?? { detectors: ledger.thresholds.map(initialMoveState) };
  return { ...rest, ...point, checkpoints, stale: true };
}

/** The moves that have begun before the ledger's point but not ended. */
export function movesUnderWay(ledger: SeriesLedger): Move[] {
  return ledger.detectors.flatMap(({ underWay }) => (underWay ? [moveOf(ledger, underWay)] : []));
}

/** A candle comes before what was walked already. */
export class LedgerOrderError extends Error {
  override readonly name = 'LedgerOrderError';
}

/**
 * Runs the detectors over the paths of candles, which are in time order.
 * @returns the ledger after them, and the moves confirmed or completed on the way, each once in its last state
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
    const { startMs } = candle;
    if (through !== undefined) {
      if (startMs < Date.parse(through)) {
        const name = `${formatSeries(candle)} at ${new Date(startMs).toISOString()}`;
        throw new LedgerOrderError(
          `The candle of ${name} comes too late: everything before ${through} has been processed.`,
        );
      }
      // The first candle of a day: keep the point before it.
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
