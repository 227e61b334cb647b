import type { Category } from '../../core/market/series.ts';
import type { BackfillOutput } from '../../core/operate/backfill/backfill.ts';
import type { BackfillPart } from '../../core/operate/backfill/input.ts';
import { rowParts } from '../../core/operate/backfill/row-parts.ts';
import type { OperationEvent, Slice } from '../../core/operate/operation.ts';
import type { CandleHistory } from './history.ts';

export interface HandOverOptions {
  /** Calls the operate function. */
  invoke: (event: OperationEvent) => Promise<unknown>;
  /** Candles written so far, of how many. */
  onProgress?: (done: number, total: number) => void;
  /** Whether the moves are made at the end; else the next run of summarise makes them. @default true */
  makeMoves?: boolean;
  signal: AbortSignal;
}

/**
 * Hands the candles of a file over to `backfill`, part by part; with the last one the moves are made.
 * @returns what all parts did
 */
export async function handOverRows(
  history: CandleHistory & { exchange: string; category: Category },
  { invoke, onProgress = () => {}, makeMoves = true, signal }: HandOverOptions,
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
    const done = await handOverPart(input, { invoke, signal });
    sum.read += done.read;
    sum.candles += done.candles;
    sum.moves += done.moves;
    onProgress(sum.read, rows.length);
  }
  return sum;
}

/** Hands one part over, for as many slices as it takes. */
export async function handOverPart(
  input: BackfillPart,
  { invoke, signal }: Pick<HandOverOptions, 'invoke' | 'signal'>,
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
    sum.read += slice.output.read;
    sum.candles += slice.output.candles;
    sum.moves += slice.output.moves;
    cursor = slice.cursor;
  } while (cursor !== undefined);
  return sum;
}
