import { formatSeries, type Series } from './series.ts';
import { reaches } from './threshold.ts';

/** The version of the move record's shape; raised by every change that readers would notice. */
export const MOVE_VERSION = 1;

export type MoveDirection = 'rise' | 'fall';

/**
 * One directional change of a price at a threshold (Guillaume et al., "From the bird's eye to the microscope", 1997).
 * Times are ISO 8601 UTC with milliseconds, prices in the quote currency. Until the next opposite move is confirmed, a
 * move is under way and has no end and no size.
 */
export interface DetectedMove {
  /** A fraction: 0.01 is 1 %. */
  threshold: number;
  direction: MoveDirection;
  /** The extreme at which the move started. */
  from_price: number;
  from_time: string;
  /** The first price at least the threshold away from it. */
  confirmed_price: number;
  confirmed_time: string;
  /** The extreme that the move reached, where the next opposite move starts. */
  to_price?: number;
  to_time?: string;
  /** |to − from| / from, a fraction. */
  size?: number;
}

/** A move of a series, as stored in the `moves` index. */
export interface Move extends DetectedMove, Series {
  v: typeof MOVE_VERSION;
}

/** A price and its time in epoch ms. */
export interface TimedPrice {
  price: number;
  timeMs: number;
}

/**
 * What detection at one threshold has to remember between two prices: plain JSON, so that it can be stored and resumed
 * anywhere in the path.
 */
export interface MoveState {
  /** `start` until the first confirmation; `up` after a rise; `down` after a fall. */
  mode: 'start' | 'up' | 'down';
  /** In modes `start` and `up`: the highest price since the start or the last confirmed rise. */
  high?: TimedPrice;
  /** In modes `start` and `down`: the lowest price since the start or the last confirmed fall. */
  low?: TimedPrice;
  /** The last confirmed move. */
  underWay?: DetectedMove;
}

/** The effect of one more price. */
export interface MoveStep {
  state: MoveState;
  /** The move that this price confirmed; it is under way from now on. */
  confirmed?: DetectedMove;
  /** The previous move with its end and size, if there was one. */
  completed?: DetectedMove;
}

/** The state before a series' first price. */
export function initialMoveState(): MoveState {
  return { mode: 'start' };
}

/**
 * Takes the next price in time order.
 *
 * In mode up, `high` is the highest price since the last confirmed rise, and the first price
 * at which `1 - p / high` reaches the threshold confirms a fall from it. In mode down, the first at which `p / low - 1`
 * does confirms a rise from the lowest price since the last confirmed fall. Before the first confirmation both extremes
 * since the start are kept, and whichever triggers first sets the mode (one price cannot trigger both: the later
 * extreme would have triggered before it). Of equal extremes the first counts.
 *
 * @param threshold a fraction > 0
 */
export function advance(state: MoveState, threshold: number, price: number, timeMs: number): MoveStep {
  const { mode, high, low } = state;
  const now = { price, timeMs };
  if (mode !== 'down' && high && reaches(1 - price / high.price, threshold)) {
    return confirm(state, threshold, 'fall', high, now);
  }
  if (mode !== 'up' && low && reaches(price / low.price - 1, threshold)) {
    return confirm(state, threshold, 'rise', low, now);
  }
  const newHigh = mode !== 'down' && (!high || price > high.price);
  const newLow = mode !== 'up' && (!low || price < low.price);
  if (!newHigh && !newLow) return { state };
  return { state: { ...state, ...(newHigh ? { high: now } : {}), ...(newLow ? { low: now } : {}) } };
}

function confirm(
  { underWay }: MoveState,
  threshold: number,
  direction: MoveDirection,
  from: TimedPrice,
  now: TimedPrice,
): MoveStep {
  const from_time = new Date(from.timeMs).toISOString();
  const confirmed: DetectedMove = {
    threshold,
    direction,
    from_price: from.price,
    from_time,
    confirmed_price: now.price,
    confirmed_time: new Date(now.timeMs).toISOString(),
  };
  const state: MoveState =
    direction === 'fall'
      ? { mode: 'down', low: now, underWay: confirmed }
      : { mode: 'up', high: now, underWay: confirmed };
  if (!underWay) return { state, confirmed };
  const completed: DetectedMove = {
    ...underWay,
    to_price: from.price,
    to_time: from_time,
    size: Math.abs(from.price - underWay.from_price) / underWay.from_price,
  };
  return { state, confirmed, completed };
}

/**
 * The moves of a whole price path in the order of their confirmation; only the last may be under way.
 * @param path `[epoch ms, price]` in time order, from the series' first price
 * @param threshold a fraction > 0
 */
export function movesOf(
  path: Iterable<readonly [timeMs: number, price: number]>,
  threshold: number,
): DetectedMove[] {
  const moves: DetectedMove[] = [];
  let state = initialMoveState();
  for (const [timeMs, price] of path) {
    const step = advance(state, threshold, price, timeMs);
    state = step.state;
    if (step.completed) moves[moves.length - 1] = step.completed;
    if (step.confirmed) moves.push(step.confirmed);
  }
  return moves;
}

/** The record of a series' move. */
export function moveOf({ exchange, category, symbol }: Series, move: DetectedMove): Move {
  return { v: MOVE_VERSION, exchange, category, symbol, ...move };
}

/** Series, threshold and confirmation in epoch ms, so a move that is detected again replaces itself. */
export function moveId(move: Series & Pick<Move, 'threshold' | 'confirmed_time'>): string {
  return `${formatSeries(move)}:${move.threshold}:${Date.parse(move.confirmed_time)}`;
}
