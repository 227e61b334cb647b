import type { ServiceUrls } from '../../local/engines/engines.ts';
import type { LocalFunction } from '../../local/pipeline/functions.ts';

/** Where a command runs: the functions of this machine's pipeline, or those of a deployed stage. */
export interface Target {
  /** "this machine" or "stage dev" */
  readonly title: string;
  /** The deployed stage; undefined for this machine. */
  readonly stage?: string;
  /** The pipeline's `now`: the replay's clock on this machine, otherwise the real time. */
  readonly now: Date;
  /** The servers on this machine, "" for those that are not needed; undefined for a deployed stage. */
  readonly stores: ServiceUrls | undefined;
  /** Tells the stores apart: the addresses on this machine, or the stack with its account and region. */
  place(): Promise<readonly string[]>;
  /** How long one slice of an operation takes: short enough for a lively progress bar, long enough to be efficient. */
  readonly sliceMs: number;
  /** Calls a function and returns its result. @throws the function's error */
  invoke(name: LocalFunction, event: unknown): Promise<unknown>;
}
