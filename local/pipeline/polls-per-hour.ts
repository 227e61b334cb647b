import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PollsPerHour } from '../../core/market/polls.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import { writeFileAtomically } from '../atomic-file.ts';

/** The market replay has four points in each recorded hour's path, however fast it runs. */
const REPLAYED: PollsPerHour = { recorded: 4 };
/** What the functions take: more often than once a second would not be a poll that is due. */
const MOST = 3_600;

const fileIn = (folder: string) => join(folder, 'polls-per-hour.json');

/** How many polls an hour has of each exchange that the folder's pipeline polls, or polled last. */
export function pollsPerHourIn(folder: string): PollsPerHour {
  try {
    return { ...(JSON.parse(readFileSync(fileIn(folder), 'utf8')) as PollsPerHour), ...REPLAYED };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return REPLAYED;
    throw error;
  }
}

/** Remembers how often exchanges are polled from now on: `coverage` counts by it, also when the pipeline has ended. */
export function keepPollsPerHour(folder: string, exchanges: readonly string[], intervalMs: number): void {
  const perHour = Math.min(MOST, HOUR_MS / intervalMs);
  const polled = Object.fromEntries(exchanges.map((exchange) => [exchange, perHour]));
  writeFileAtomically(fileIn(folder), JSON.stringify({ ...pollsPerHourIn(folder), ...polled }));
}
