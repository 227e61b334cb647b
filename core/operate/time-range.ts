import * as z from 'zod';
import type { Window } from '../market/window.ts';

export const isoTime = z.iso.datetime({ offset: true, error: 'expected an ISO 8601 time' });

/** Which part of the data an operation works on: [from, to). */
export const timeRange = {
  /** @default the first there is */
  from: isoTime.optional(),
  /** @default the last there is, included */
  to: isoTime.optional(),
  /** @default all */
  exchange: z.string().min(1).optional(),
};

export type TimeRange = z.infer<z.ZodObject<typeof timeRange>>;

/** The range in epoch ms; an open end is the end of time. */
export function rangeMs({ from, to }: TimeRange): Window {
  return {
    fromMs: from === undefined ? 0 : Date.parse(from),
    toMs: to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(to),
  };
}
