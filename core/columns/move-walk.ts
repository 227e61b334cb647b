import {
  advance,
  type DetectedMove,
  initialMoveState,
  type MoveState,
} from '../market/directional-change.ts';

/** What the detectors of one series remember: a state for each threshold. */
export type MoveStates = ReadonlyMap<number, MoveState>;

/** What a part of a series' price path brought. */
export interface WalkedPath {
  /** Those confirmed in it, with their ends if those were confirmed in it as well; by threshold and time. */
  moves: DetectedMove[];
  /** Those confirmed before it, with the ends that were confirmed in it; by threshold. */
  completed: DetectedMove[];
  states: Map<number, MoveState>;
}

/** Finds the moves in a part of one series' price path, which it takes price by price. */
export class MoveWalk {
  readonly #detectors: Detector[];

  /** @param states at the end of the part before. @default nothing came before */
  constructor(thresholds: readonly number[], states: MoveStates = new Map()) {
    this.#detectors = thresholds.map((threshold) => ({
      threshold,
      state: states.get(threshold) ?? initialMoveState(),
      moves: [],
      completed: undefined,
    }));
  }

  take(timeMs: number, price: number): void {
    for (const detector of this.#detectors) {
      const step = advance(detector.state, detector.threshold, price, timeMs);
      detector.state = step.state;
      if (!step.confirmed) continue;
      if (step.completed && detector.moves.length > 0)
        detector.moves[detector.moves.length - 1] = step.completed;
      else detector.completed = step.completed;
      detector.moves.push(step.confirmed);
    }
  }

  end(): WalkedPath {
    return {
      moves: this.#detectors.flatMap(({ moves }) => moves),
      completed: this.#detectors.flatMap(({ completed }) => completed ?? []),
      states: new Map(this.#detectors.map(({ threshold, state }) => [threshold, state])),
    };
  }
}

interface Detector {
  readonly threshold: number;
  state: MoveState;
  moves: DetectedMove[];
  /** The move under way at the start. */
  completed: DetectedMove | undefined;
}
