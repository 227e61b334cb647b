import { remakeMoves } from '../../summarise/remake-moves.ts';
import type { Operation, OperationServices, Slice } from '../operation.ts';
import { summarySlice } from '../summary-slice.ts';
import { ExchangePages } from './exchange-pages.ts';
import { type BackfillInput, backfillInput } from './input.ts';
import { type WritePart, writeFromLake, writeRows } from './recorded-candles.ts';

/** What one slice wrote. */
export interface BackfillOutput {
  /** Candles that the exchange, the file or the lake has. */
  read: number;
  /** Those that are new or replace another; otherwise the same candle existed, or ticks take precedence. */
  candles: number;
  moves: number;
  /** Hours that an exchange was asked for; it may have candles of fewer. */
  hours?: number;
  /** What was not available; left out if everything was. */
  notes?: string[];
  /** Undoes it. */
  run?: string | undefined;
}

interface BackfillCursor {
  /** Pages of all symbols, or objects, that are done. */
  pages: number;
  /** Of the command that was interrupted. */
  run?: string | undefined;
}

/**
 * Writes recorded candles, fetched from an exchange page by page, handed over, or read from the lake. What was fetched
 * or handed over is kept in the lake unchanged. The moves are made after the last candle; if the backfill is stopped
 * before, the next run of summarise makes them.
 */
export const backfill: Operation<BackfillInput, BackfillOutput> = {
  name: 'backfill',
  input: backfillInput,
  slice(input, cursor, services, budget) {
    const state: BackfillCursor = (cursor as BackfillCursor | undefined) ?? {
      pages: 0,
      run: 'run' in input ? input.run : undefined,
    };
    const { total, write } = partsOf(input, state.run, services, budget.deadlineMs);
    const output: BackfillOutput = { read: 0, candles: 0, moves: 0, run: state.run };
    const answer = (done: boolean): Slice<BackfillOutput> => ({
      ...(done ? {} : { cursor: state }),
      // The moves count as one more page.
      progress: { done: state.pages + (done ? 1 : 0), total: total + 1, unit: 'pages' },
      output,
    });
    return summarySlice('backfill', cursor, services, budget, answer(false), async ({ store }, hasTime) => {
      while (state.pages < total) {
        const written = hasTime() ? await write(state.pages, store) : undefined;
        if (!written) return answer(false);
        output.read += written.read;
        output.candles += written.candles;
        output.moves += written.moves;
        if (written.hours !== undefined) output.hours = (output.hours ?? 0) + written.hours;
        if (written.notes?.length) output.notes = [...(output.notes ?? []), ...written.notes];
        state.pages += 1;
      }
      if (input.kind !== 'fetch' && !input.makeMoves) return answer(true);
      const again = await remakeMoves(services.summaries, store, hasTime);
      output.moves += again.moves;
      return answer(again.done);
    });
  },
};

/** How many parts there are, and what writes one. */
function partsOf(
  input: BackfillInput,
  run: string | undefined,
  services: OperationServices,
  deadlineMs: number,
): { total: number; write: WritePart } {
  switch (input.kind) {
    case 'fetch': {
      const pages = new ExchangePages(input, services, deadlineMs);
      return { total: pages.total, write: (position, store) => pages.write(position, store, run) };
    }
    case 'rows':
      return { total: 1, write: (_, store) => writeRows(input, services, store) };
    case 'lake': {
      const { objects } = input;
      const allTime = { fromMs: 0, toMs: Number.POSITIVE_INFINITY };
      const object = (position: number) => objects[position] as (typeof objects)[number];
      return {
        total: objects.length,
        write: (position, store) => writeFromLake(object(position), allTime, services, store),
      };
    }
    default:
      return input satisfies never;
  }
}
