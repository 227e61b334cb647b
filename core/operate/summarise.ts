import * as z from 'zod';
import { HOUR_MS, hourOf } from '../market/time.ts';
import { markStale } from '../summarise/remake-moves.ts';
import { NOTHING_DONE, type SummariseReport, summarise as summariseHours } from '../summarise/summarise.ts';
import type { Operation } from './operation.ts';
import { summarySlice } from './summary-slice.ts';
import { isoTime } from './time-range.ts';

const inputSchema = z.strictObject({
  /** Makes everything from here on again, even what is unchanged. @default where the last run stopped */
  from: isoTime.optional(),
  /** Its hour is not closed yet. */
  now: isoTime,
});

interface SummariseCursor {
  /** Where the command began, for the progress. */
  startMs?: number;
}

/** Summarises what is new, or everything from a time on again. */
export const summarise: Operation<z.infer<typeof inputSchema>, SummariseReport> = {
  name: 'summarise',
  input: inputSchema,
  slice(input, cursor, services, budget) {
    const { startMs } = (cursor ?? {}) as SummariseCursor;
    const endMs = hourOf(Date.parse(input.now));
    const busy = {
      cursor: { startMs },
      progress: { done: 0, total: 1, unit: 'hours' },
      output: NOTHING_DONE,
    };
    return summarySlice('summarise', cursor, services, budget, busy, async (stores, hasTime) => {
      const { store, ticks } = stores;
      if (startMs === undefined && input.from !== undefined) {
        const fromMs = hourOf(Date.parse(input.from));
        await markStale(store, fromMs);
        await store.setSummarisedUntil(Math.min(fromMs, (await store.summarisedUntil()) ?? fromMs));
      }
      const beganMs =
        startMs ?? (await store.summarisedUntil()) ?? (await ticks.firstTickIn(0, endMs)) ?? endMs;
      const settings = services.summaries;
      const output = await summariseHours(Date.parse(input.now), { ...stores, settings, hasTime });
      const hoursUntil = (ms: number) => Math.max(0, Math.ceil((ms - beganMs) / HOUR_MS));
      const total = hoursUntil(endMs);
      if (output.done) return { progress: { done: total, total, unit: 'hours' }, output };
      const done = output.until === undefined ? 0 : hoursUntil(Date.parse(output.until));
      return { cursor: { startMs: beganMs }, progress: { done, total, unit: 'hours' }, output };
    });
  },
};
