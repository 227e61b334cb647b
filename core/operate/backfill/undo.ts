import * as z from 'zod';
import { type CandleObject, overlaps } from '../../lake/candle-objects.ts';
import { formatSeries } from '../../market/series.ts';
import { DAY_MS, dayOf } from '../../market/time.ts';
import type { Window } from '../../market/window.ts';
import { remakeMoves } from '../../summarise/remake-moves.ts';
import { LakeTicks } from '../lake-ticks.ts';
import {
  addProblems,
  type Operation,
  OperationInputError,
  type OperationServices,
  type Slice,
} from '../operation.ts';
import { summarySlice } from '../summary-slice.ts';
import { runName } from './input.ts';
import { readCandleObject, seriesWithPair } from './recorded-candles.ts';
import { withdraw } from './withdraw.ts';

const inputSchema = z.strictObject({ run: runName });

/** What one slice took back. */
export interface UndoOutput {
  /** Candles that are gone. */
  removed: number;
  /** Candles that are back, from other runs and from ticks. */
  candles: number;
  /** Moves made again. */
  moves: number;
  /** Objects deleted in the lake. */
  objects: number;
  /** What could not be read in the lake. */
  problems: string[];
}

interface UndoCursor {
  /** Parts of candles that are done; then the moves are made, then objects deleted. */
  parts: number;
}

/** Candles of about this many days are removed at once. */
const PART_DAYS = 31;
/** In the error for an unknown run. */
const RUNS_SHOWN = 10;

/**
 * Takes back what one run of `backfill` wrote: its candles, the moves that follow from them, and its objects in the lake.
 * What earlier and later runs wrote, and what the ticks say, is there again. The objects go last, so that it can be
 * repeated until all is done.
 */
export const undo: Operation<z.infer<typeof inputSchema>, UndoOutput> = {
  name: 'undo',
  input: inputSchema,
  async slice({ run }, cursor, services, budget) {
    const state = (cursor ?? { parts: 0 }) as UndoCursor;
    const output: UndoOutput = { removed: 0, candles: 0, moves: 0, objects: 0, problems: [] };
    const all = (await services.candleHistory.list()).map(({ object }) => object);
    const own = all.filter((object) => object.run === run);
    if (own.length === 0 && cursor === undefined) throw unknownRun(run, all);
    const parts = own.flatMap((object) => windowsOf(object).map((window) => ({ object, window })));
    const answer = (done: boolean): Slice<UndoOutput> => ({
      ...(done ? {} : { cursor: state }),
      progress: { done: done ? parts.length + 1 : state.parts, total: parts.length + 1, unit: 'parts' },
      output,
    });
    return summarySlice('undo', cursor, services, budget, answer(false), async ({ store }, hasTime) => {
      for (; state.parts < parts.length; state.parts += 1) {
        if (!hasTime()) return answer(false);
        const { object, window } = parts[state.parts] as (typeof parts)[number];
        const ticks = new LakeTicks(services.lake, [
          { exchange: object.exchange, category: object.category },
        ]);
        const name = formatSeries(object);
        const others = all.filter(
          (other) =>
            other.run !== run && formatSeries(other) === name && overlaps(other, window.fromMs, window.toMs),
        );
        const needs = { ...readersOf(services), ticks, settings: services.summaries, store };
        const written = await withdraw({ object, window, others }, needs);
        output.removed += written.removed;
        output.candles += written.candles;
        addProblems(output, ticks.problems);
      }
      const again = await remakeMoves(services.summaries, store, hasTime);
      output.moves += again.moves;
      if (!again.done) return answer(false);
      for (const object of own) {
        if (!hasTime()) return answer(false);
        await services.candleHistory.delete(object);
        output.objects += 1;
      }
      return answer(true);
    });
  },
};

function readersOf({ candleHistory, exchangeCandles }: OperationServices) {
  return {
    read: async (object: CandleObject) =>
      readCandleObject(object, await candleHistory.read(object), exchangeCandles),
    seriesOf: (object: CandleObject) => seriesWithPair(object, exchangeCandles),
  };
}

/** The whole days that an object covers, in parts. */
function windowsOf({ firstMs, lastMs }: CandleObject): Window[] {
  const endMs = dayOf(lastMs) + DAY_MS;
  const windows: Window[] = [];
  for (let fromMs = dayOf(firstMs); fromMs < endMs; fromMs += PART_DAYS * DAY_MS) {
    windows.push({ fromMs, toMs: Math.min(fromMs + PART_DAYS * DAY_MS, endMs) });
  }
  return windows;
}

function unknownRun(run: string, all: readonly CandleObject[]): OperationInputError {
  const runs = [...new Set(all.flatMap((object) => object.run ?? []))].slice(-RUNS_SHOWN);
  const known = runs.length === 0 ? 'There are none that can be undone' : `The latest are ${runs.join(', ')}`;
  return new OperationInputError(`The lake has nothing from a backfill named ${run}. ${known}.`);
}
