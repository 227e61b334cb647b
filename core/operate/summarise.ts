import * as z from 'zod';
import { HOUR_MS, hourOf } from '../market/time.ts';
import { markStale } from '../summarise/moves-again.ts';
import { type SummariseReport, summarise as summariseHours } from '../summarise/summarise.ts';
import type { Operation } from './operation.ts';
import { summarySlice } from './summary-slice.ts';

const isoTime = z.iso.datetime({ offset: true, error: 'expected an ISO 8601 time' });
const inputSchema = z.strictObject({
  /** From here on everything is made again, also what is unchanged. @default from where the last run stopped */
  from: isoTime.optional(),
  /** The hour that it lies in is not closed yet. */
  now: isoTime,
});

interface SummariseCursor {
  /** Where the command began, for the progress. */
  startMs?: number;
}

/** Summarises what is not yet, or everything from a time on again. */
export const summarise: Operation<z.infer<typeof inputSchema>, SummariseReport> = {
  name: 'summarise',
  input: inputSchema,
  slice(input, cursor, services, budget) {
    const { startMs } = (cursor ?? {}) as SummariseCursor;
    const endMs = hourOf(Date.parse(input.now));
    const nothing: SummariseReport = { hours: 0, candles: 0, moves: 0, seriesAgain: 0, done: false };
    const hours = (ms: number) => Math.max(0, Math.ceil(ms / HOUR_MS));
    const busy = { cursor: { startMs }, progress: { done: 0, total: 1, unit: 'hours' }, output: nothing };
    return summarySlice('summarise', cursor, services, budget, busy, async (stores, hasTime) => {
      const { store, ticks, counts } = stores;
      if (startMs === undefined && input.from !== undefined) {
        const fromMs = hourOf(Date.parse(input.from));
        await markStale(store, fromMs);
        await store.setSummarisedUntil(Math.min(fromMs, (await store.summarisedUntil()) ?? fromMs));
      }
      const beganMs =
        startMs ?? (await store.summarisedUntil()) ?? (await ticks.firstTickIn(0, endMs)) ?? endMs;
      const settings = services.summaries;
      const output = await summariseHours(Date.parse(input.now), { ticks, counts, store, settings, hasTime });
      const total = hours(endMs - beganMs);
      const untilMs = output.until === undefined ? beganMs : Date.parse(output.until);
      if (output.done) return { progress: { done: total, total, unit: 'hours' }, output };
      const done = hours(untilMs - beganMs);
      return { cursor: { startMs: beganMs }, progress: { done, total, unit: 'hours' }, output };
    });
  },
};
