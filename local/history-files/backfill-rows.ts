import type { Category } from '../../core/market/series.ts';
import type { BackfillOutput } from '../../core/operate/backfill/backfill.ts';
import type { BackfillPart } from '../../core/operate/backfill/input.ts';
import type { RowPart } from '../../core/operate/backfill/row-parts.ts';
import type { OperationEvent, Slice } from '../../core/operate/operation.ts';

export interface BackfillRowsOptions {
  /** Calls the operate function. */
  invoke: (event: OperationEvent) => Promise<unknown>;
  /** Candles written so far. */
  onProgress?: (done: number) => void;
  /** Whether to make the moves at the end, or leave them to the next run of summarise. @default true */
  makeMoves?: boolean;
  signal: AbortSignal;
}

/** Candles in parts, and whose they are. */
export interface MarketCandles {
  exchange: string;
  category: Category;
  parts: AsyncIterable<RowPart>;
  /** @default none: what was written cannot be undone */
  run?: string;
}

/**
 * Passes candles to `backfill`, part by part.
 * @returns the sum over all parts
 */
export async function backfillRows(
  { exchange, category, parts, run }: MarketCandles,
  { invoke, onProgress = () => {}, makeMoves = true, signal }: BackfillRowsOptions,
): Promise<BackfillOutput> {
  const sum: BackfillOutput = { read: 0, candles: 0, moves: 0 };
  const inputOf = (
    part: Pick<Extract<BackfillPart, { kind: 'rows' }>, 'hours' | 'series'>,
    isLast: boolean,
  ) => ({
    ...{ kind: 'rows' as const, exchange, category, run, ...part },
    makeMoves: makeMoves && isLast,
  });
  for await (const { part, isLast } of markLast(parts)) {
    add(sum, await backfillPart(inputOf(part, isLast), { invoke, signal }));
    onProgress(sum.read);
  }
  return sum;
}

async function* markLast<T>(parts: AsyncIterable<T>): AsyncGenerator<{ part: T; isLast: boolean }> {
  let waiting: { part: T } | undefined;
  for await (const part of parts) {
    if (waiting) yield { ...waiting, isLast: false };
    waiting = { part };
  }
  if (waiting) yield { ...waiting, isLast: true };
}

/** Passes one part to `backfill`, in as many slices as it takes. */
export async function backfillPart(
  input: BackfillPart,
  { invoke, signal }: Pick<BackfillRowsOptions, 'invoke' | 'signal'>,
): Promise<BackfillOutput> {
  const sum: BackfillOutput = { read: 0, candles: 0, moves: 0 };
  let cursor: unknown;
  do {
    signal.throwIfAborted();
    const event: OperationEvent = {
      operation: 'backfill',
      input,
      ...(cursor === undefined ? {} : { cursor }),
    };
    const slice = (await invoke(event)) as Slice<BackfillOutput>;
    add(sum, slice.output);
    cursor = slice.cursor;
  } while (cursor !== undefined);
  return sum;
}

function add(sum: BackfillOutput, { read, candles, moves }: BackfillOutput): void {
  sum.read += read;
  sum.candles += candles;
  sum.moves += moves;
}
