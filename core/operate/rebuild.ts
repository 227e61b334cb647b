import * as z from 'zod';
import { S3CandleHistory } from '../../stores/s3/candle-history.ts';
import { overlaps } from '../lake/candle-objects.ts';
import { UnreadableObjectError } from '../lake/ndjson.ts';
import type { RecordedPrices } from '../market/candle.ts';
import { HOUR_MS, hourOf } from '../market/time.ts';
import { makeMovesAgain, markStale } from '../summarise/moves-again.ts';
import type { SummaryStore } from '../summarise/ports.ts';
import { summariseHour } from '../summarise/summarise.ts';
import { readCandleObject, writeRecorded } from './backfill/recorded-candles.ts';
import { LakeTicks } from './lake-ticks.ts';
import type { Operation, OperationServices, Slice } from './operation.ts';
import { summarySlice } from './summary-slice.ts';

const isoTime = z.iso.datetime({ offset: true, error: 'expected an ISO 8601 time' });
const inputSchema = z.strictObject({
  /** @default the first hour that the lake holds */
  from: isoTime.optional(),
  /** Hours that start before it; the hour of now is not closed. */
  to: isoTime,
});

/** What one slice made. */
export interface RebuildOutput {
  /** Hours with ticks in the lake. */
  hours: number;
  /** Candles that are new, or not as they were. */
  candles: number;
  moves: number;
  /** What could not be read in the lake. */
  problems: string[];
}

/** Recorded candles first, then the hours of ticks, then the moves. */
type RebuildCursor =
  | { phase: 'begin' }
  | { phase: 'recorded'; objects: number; seen: number }
  | { phase: 'ticks'; startMs: number; hourMs: number }
  | { phase: 'moves'; startMs: number; series: number };

/**
 * Makes candles and moves from what the lake holds of a range: recorded candles and ticks. It needs nothing of the
 * index, and replaces what is there.
 */
export const rebuild: Operation<z.infer<typeof inputSchema>, RebuildOutput> = {
  name: 'rebuild',
  input: inputSchema,
  slice(input, cursor, services, budget) {
    const output: RebuildOutput = { hours: 0, candles: 0, moves: 0, problems: [] };
    const range = {
      fromMs: input.from === undefined ? 0 : hourOf(Date.parse(input.from)),
      toMs: hourOf(Date.parse(input.to)),
    };
    const state = (cursor ?? { phase: 'begin' }) as RebuildCursor;
    const busy: Slice<RebuildOutput> = {
      cursor: state,
      progress: progressOf(state, range.toMs),
      output,
    };
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
  range: { fromMs: number; toMs: number };
  hasTime: () => boolean;
  output: RebuildOutput;
}

/** One phase, as far as the time goes. */
function step(state: RebuildCursor, work: Work): Promise<RebuildCursor | undefined> {
  switch (state.phase) {
    case 'begin':
      return begin(work);
    case 'recorded':
      return recorded(state, work);
    case 'ticks':
      return ticks(state, work);
    case 'moves':
      return moves(state, work);
    default:
      return state satisfies never;
  }
}

async function begin({ store, range }: Work): Promise<RebuildCursor> {
  await markStale(store, range.fromMs);
  return { phase: 'recorded', objects: 0, seen: 0 };
}

async function recorded(
  { seen }: Extract<RebuildCursor, { phase: 'recorded' }>,
  { services, store, range, hasTime, output }: Work,
): Promise<RebuildCursor> {
  const history = new S3CandleHistory(services.s3, services.bucket);
  const objects = await history.list();
  for (let position = seen; position < objects.length; position += 1) {
    const object = objects[position];
    if (!object || !overlaps(object, range.fromMs, range.toMs)) continue;
    if (!hasTime()) return { phase: 'recorded', objects: objects.length, seen: position };
    let rows: RecordedPrices[];
    try {
      rows = readCandleObject(object, await history.read(object));
    } catch (error) {
      if (!(error instanceof UnreadableObjectError)) throw error;
      output.problems.push(error.message);
      continue;
    }
    const inRange = rows.filter(
      ({ startMs }) => startMs >= range.fromMs && startMs + object.hours * HOUR_MS <= range.toMs,
    );
    const written = await writeRecorded(object, object.hours, inRange, services.summaries, store);
    output.candles += written.candles;
    output.moves += written.moves;
  }
  const firstMs = (await new LakeTicks(services.lake).firstTickIn(range.fromMs, range.toMs)) ?? range.toMs;
  return { phase: 'ticks', startMs: hourOf(firstMs), hourMs: hourOf(firstMs) };
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
    const written = await summariseHour(hourOf(tickMs), lakeTicks, 'later', services.summaries, store);
    output.hours += 1;
    output.candles += written.candles;
    output.moves += written.moves;
    output.problems.push(...lakeTicks.problems.splice(0));
    nextMs = hourOf(tickMs) + HOUR_MS;
  }
  return { phase: 'moves', startMs, series: await store.countStale() };
}

async function moves(
  state: Extract<RebuildCursor, { phase: 'moves' }>,
  { services, store, hasTime, output }: Work,
): Promise<RebuildCursor | undefined> {
  const again = await makeMovesAgain(services.summaries, store, hasTime);
  output.moves += again.moves;
  return again.done ? undefined : state;
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
