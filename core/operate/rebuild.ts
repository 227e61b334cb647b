import * as z from 'zod';
import { candleObjectKey, overlaps } from '../lake/candle-objects.ts';
import { UnreadableObjectError } from '../lake/ndjson.ts';
import { HOUR_MS, hourOf } from '../market/time.ts';
import type { Window } from '../market/window.ts';
import type { SummaryStore } from '../summarise/ports.ts';
import { markStale, remakeMoves } from '../summarise/remake-moves.ts';
import { summariseHour } from '../summarise/summarise-hour.ts';
import { writeFromLake } from './backfill/recorded-candles.ts';
import { LakeTicks } from './lake-ticks.ts';
import { addProblems, type Operation, type OperationServices, type Slice } from './operation.ts';
import { summarySlice } from './summary-slice.ts';
import { isoTime } from './time-range.ts';

const inputSchema = z.strictObject({
  /** @default the first hour in the lake */
  from: isoTime.optional(),
  /** Hours that start before it; the current hour is not closed. */
  to: isoTime,
});

/** What one slice made. */
export interface RebuildOutput {
  /** Hours with ticks in the lake. */
  hours: number;
  /** Candles that are new or changed. */
  candles: number;
  moves: number;
  /** What could not be read in the lake. */
  problems: string[];
}

/** Recorded candles first, then the hours with ticks, then the moves. */
type RebuildCursor =
  | { phase: 'begin' }
  | { phase: 'recorded'; objects: number; seen: number; last?: SeenObject }
  | { phase: 'ticks'; startMs: number; hourMs: number }
  | { phase: 'moves'; startMs: number; hourMs: number; series: number };

/** Its place in the list, by time: an index would shift when another object is written again. */
interface SeenObject {
  writtenMs: number;
  key: string;
}

/**
 * Makes candles and moves of a range from the lake's recorded candles and ticks. It needs nothing from the index, and
 * replaces what is there.
 */
export const rebuild: Operation<z.infer<typeof inputSchema>, RebuildOutput> = {
  name: 'rebuild',
  input: inputSchema,
  async resume(_input, cursor) {
    const state = cursor as RebuildCursor;
    // Hours may have closed since.
    return state.phase === 'moves' ? { phase: 'ticks', startMs: state.startMs, hourMs: state.hourMs } : state;
  },
  slice(input, cursor, services, budget) {
    const output: RebuildOutput = { hours: 0, candles: 0, moves: 0, problems: [] };
    const range = {
      fromMs: input.from === undefined ? 0 : hourOf(Date.parse(input.from)),
      toMs: hourOf(Date.parse(input.to)),
    };
    const state = (cursor ?? { phase: 'begin' }) as RebuildCursor;
    const busy = { cursor: state, progress: progressOf(state, range.toMs), output };
    return summarySlice('rebuild', cursor, services, budget, busy, async ({ store }, hasTime) => {
      const work: Work = { services, store, range, hasTime, output };
      let next: RebuildCursor | undefined = state;
      do {
        next = await step(next, work);
      } while (next && hasTime());
      const progress = next ? progressOf(next, range.toMs) : { done: 1, total: 1, unit: 'parts' };
      return { ...(next ? { cursor: next } : {}), progress, output };
    });
  },
};

interface Work {
  services: OperationServices;
  store: SummaryStore;
  range: Window;
  hasTime: () => boolean;
  output: RebuildOutput;
}

/** One phase, as time allows. */
async function step(state: RebuildCursor, work: Work): Promise<RebuildCursor | undefined> {
  switch (state.phase) {
    case 'begin':
      await markStale(work.store, work.range.fromMs);
      return { phase: 'recorded', objects: 0, seen: 0 };
    case 'recorded':
      return recorded(state, work);
    case 'ticks':
      return ticks(state, work);
    case 'moves': {
      const again = await remakeMoves(work.services.summaries, work.store, work.hasTime);
      work.output.moves += again.moves;
      return again.done ? undefined : state;
    }
    default:
      return state satisfies never;
  }
}

async function recorded(
  { last }: Extract<RebuildCursor, { phase: 'recorded' }>,
  { services, store, range, hasTime, output }: Work,
): Promise<RebuildCursor> {
  let seen = last;
  const objects = await services.candleHistory.list();
  for (const [position, { object, writtenMs }] of objects.entries()) {
    const next = { writtenMs, key: candleObjectKey(object) };
    if (isSeen(next, last) || !overlaps(object, range.fromMs, range.toMs)) continue;
    if (!hasTime()) {
      return { phase: 'recorded', objects: objects.length, seen: position, ...(seen ? { last: seen } : {}) };
    }
    try {
      const written = await writeFromLake(object, range, services, store);
      output.candles += written.candles;
      output.moves += written.moves;
    } catch (error) {
      if (!(error instanceof UnreadableObjectError)) throw error;
      addProblems(output, [error.message]);
    }
    seen = next;
  }
  const firstMs = (await new LakeTicks(services.lake).firstTickIn(range.fromMs, range.toMs)) ?? range.toMs;
  return { phase: 'ticks', startMs: hourOf(firstMs), hourMs: hourOf(firstMs) };
}

/** Whether an object comes before the last one seen, or is it. */
function isSeen({ writtenMs, key }: SeenObject, last: SeenObject | undefined): boolean {
  if (!last) return false;
  return writtenMs === last.writtenMs ? key <= last.key : writtenMs < last.writtenMs;
}

async function ticks(
  { startMs, hourMs }: Extract<RebuildCursor, { phase: 'ticks' }>,
  { services, store, range, hasTime, output }: Work,
): Promise<RebuildCursor> {
  const lakeTicks = new LakeTicks(services.lake);
  for (let nextMs = hourMs; ; ) {
    if (!hasTime()) return { phase: 'ticks', startMs, hourMs: nextMs };
    const tickMs = await lakeTicks.firstTickIn(nextMs, range.toMs);
    if (tickMs === undefined) break;
    nextMs = hourOf(tickMs) + HOUR_MS;
    const options: Parameters<typeof summariseHour>[2] = {
      makeMoves: 'later',
      async beforeReopening(dayMs) {
        nextMs = Math.max(dayMs, range.fromMs);
      },
    };
    const written = await summariseHour(hourOf(tickMs), lakeTicks, options, services.summaries, store);
    output.hours += 1;
    output.candles += written.candles;
    output.moves += written.moves;
    addProblems(output, lakeTicks.problems.splice(0));
  }
  return { phase: 'moves', startMs, hourMs: range.toMs, series: await store.countStale() };
}

function progressOf(state: RebuildCursor, toMs: number): Slice<unknown>['progress'] {
  switch (state.phase) {
    case 'begin':
      return { done: 0, total: 1, unit: 'objects of recorded candles' };
    case 'recorded':
      return { done: state.seen, total: Math.max(1, state.objects), unit: 'objects of recorded candles' };
    case 'ticks': {
      const hours = (ms: number) => Math.max(0, Math.round(ms / HOUR_MS));
      return { done: hours(state.hourMs - state.startMs), total: hours(toMs - state.startMs), unit: 'hours' };
    }
    case 'moves':
      return { done: 0, total: Math.max(1, state.series), unit: 'series' };
    default:
      return state satisfies never;
  }
}
