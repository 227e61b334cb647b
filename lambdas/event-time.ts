import * as z from 'zod';
import { isoTime } from '../core/operate/time-range.ts';

const timedEvent = z.object({ now: isoTime.optional() });

/** The `now` of a scheduled event, by default the current time; epoch ms. */
export function timeOf(event: unknown): number {
  const { now } = timedEvent.parse(event ?? {});
  return now === undefined ? Date.now() : Date.parse(now);
}
