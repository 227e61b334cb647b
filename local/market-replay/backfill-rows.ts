import type { Category } from '../../core/market/series.ts';
import type { BackfillOutput } from '../../core/operate/backfill/backfill.ts';
import type { BackfillPart } from '../../core/operate/backfill/input.ts';
import { rowParts } from '../../core/operate/backfill/row-parts.ts';
import type { OperationEvent, Slice } from '../../core/operate/operation.ts';
import type { CandleHistory } from './history.ts';

export interface BackfillRowsOptions {
  /** Calls the operate function. */
  invoke: (event: OperationEvent) => Promise<unknown>;
  /** Candles written so far, of how many. */
  onProgress?: (done: number, total: number) => void;
  /** Whether to make the moves at the end, or leave them to the next run of summarise. @default true */
  makeMoves?: boolean;
  signal: AbortSignal;
}

/**
 * Passes the candles of a file to `backfill`, part by part.
 * @returns the sum over all parts
 */
export async function backfillRows(
  history: CandleHistory & { exchange: string; category: Category },
  { invoke, onProgress = () => {}, makeMoves = true, signal }: BackfillRowsOptions,
): Promise<BackfillOutput> {
  const { exchange, category, hours, rows } = history;
  const sum: BackfillOutput = { read: 0, candles: 0, moves: 0 };
  const parts = rowParts(rows);
  for (const [position, series] of parts.entries()) {
    const input: BackfillPart = {
      kind: 'rows',
      exchange,
      category,
      hours,
      series,
      makeMoves: makeMoves && position === parts.length - 1,
    };
    add(sum, await backfillPart(input, { invoke, signal }));
    onProgress(sum.read, rows.length);
  }
  return sum;
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
