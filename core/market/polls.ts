import * as z from 'zod';
import { jsonText } from '../runtime/environment.ts';
import { HOUR_MS } from './time.ts';

/** One poll every two minutes, as the ingest schedule does it. */
const DEFAULT_POLLS_PER_HOUR = 30;

/**
 * The environment variable `POLLS_PER_HOUR`: JSON, how many polls an hour has of each exchange, and (`default`) of any
 * other, e.g. `{"default":30,"recorded":4}`.
 */
export const pollsPerHourVariable = jsonText(z.record(z.string(), z.number().positive().max(3_600))).prefault(
  '{}',
);

export type PollsPerHour = Readonly<Record<string, number>>;

/** How many polls an hour of an exchange should have. */
export function pollsDuePerHour(exchange: string, configured: PollsPerHour): number {
  return configured[exchange] ?? configured.default ?? DEFAULT_POLLS_PER_HOUR;
}

/** How many polls lie in [from, to), both epoch ms, when they are spread evenly over each hour from its start on. */
export function pollsDueIn(fromMs: number, toMs: number, perHour: number): number {
  const intervalMs = HOUR_MS / perHour;
  return Math.ceil(toMs / intervalMs) - Math.ceil(fromMs / intervalMs);
}
