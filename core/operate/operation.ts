import type * as z from 'zod';
import type { DeadLetter, TickerIndex } from '../index/ports.ts';
import type { TickerStream } from '../ingest/ports.ts';
import type { Log } from '../runtime/log.ts';
import type { EmitMetrics } from '../runtime/metrics.ts';
import type { SummarySettings } from '../summarise/settings.ts';
import type {
  CandleHistory,
  CompletenessIndex,
  DeadLetterArchive,
  ExchangeCandles,
  FailedPollIndex,
  GivenUpBatches,
  LakeHealth,
  LakeObjects,
  ListingIndex,
  SearchHealth,
  StreamHealth,
  SummaryLease,
  TickerIds,
} from './ports.ts';

/** What operations may use. Nothing connects before its first use. */
export interface OperationServices {
  readonly lake: LakeObjects;
  readonly stream: TickerStream;
  readonly index: TickerIndex;
  readonly tickerIds: TickerIds;
  readonly deadLetters: DeadLetterArchive;
  /** Whether the error of a dead letter may have passed by itself. */
  readonly isTransient: (letter: DeadLetter) => boolean;
  readonly givenUpBatches: GivenUpBatches;
  /** @default listings stay in the lake */
  readonly listings?: ListingIndex;
  /** @default failed polls stay in the lake */
  readonly failedPolls?: FailedPollIndex;
  readonly completeness: CompletenessIndex;
  readonly candleHistory: CandleHistory;
  readonly exchangeCandles: ExchangeCandles;
  readonly summaryLease: SummaryLease;
  readonly streamHealth: StreamHealth;
  readonly searchHealth: SearchHealth;
  readonly lakeHealth: LakeHealth;
  /** The exchanges that are polled. @default all that the lake knows */
  readonly exchanges: readonly string[] | undefined;
  readonly summaries: SummarySettings;
  /** How long the event source collects records, at most, before it calls the index function. */
  readonly batchingWindowMs: number;
  readonly log: Log;
  readonly emit: EmitMetrics;
  /** Epoch ms. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** How long one slice may take. */
export interface SliceBudget {
  /** No new piece of work starts after this; epoch ms. */
  deadlineMs: number;
}

/** What one slice of an operation did. */
export interface Slice<Output> {
  /** Passed to the next slice; absent when the operation is done. JSON. */
  cursor?: unknown;
  /** For the progress bar; both numbers may grow as more becomes known. */
  progress: { done: number; total: number; unit: string };
  /** For the caller to collect. JSON, well below the 6 MB that a Lambda can return. */
  output: Output;
}

/**
 * An operator's command, cut into slices that fit a Lambda's time. The same code runs on one machine and in a
 * deployed stage.
 */
export interface Operation<Input, Output, Services = OperationServices> {
  readonly name: string;
  readonly input: z.ZodType<Input>;
  /** @param cursor from the previous slice; undefined for the first */
  slice(input: Input, cursor: unknown, services: Services, budget: SliceBudget): Promise<Slice<Output>>;
  /**
   * Updates the cursor of an interrupted run: data that has since arrived in an open range is now part of it.
   * @default the cursor stays as it is
   */
  resume?(input: Input, cursor: unknown, services: Services): Promise<unknown>;
}

/** In one slice: there may be as many as tickers, and a Lambda can return 6 MB. */
const MOST_PROBLEMS = 1_000;

/** Adds to a slice's problems, as many as it can return. */
export function addProblems({ problems }: { problems: string[] }, more: readonly string[]): void {
  problems.push(...more.slice(0, Math.max(0, MOST_PROBLEMS - problems.length)));
}

/** The operation does not exist, or cannot work with its input. */
export class OperationInputError extends Error {
  override readonly name = 'OperationInputError';
}

/** The event of the operate function. */
export interface OperationEvent {
  operation: string;
  input: unknown;
  /** How long the slice should take. @default the function's time limit */
  sliceMs?: number;
  cursor?: unknown;
  /** The cursor was kept by an earlier run, which was interrupted. @default false */
  resumed?: boolean;
}
