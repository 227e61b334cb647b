import type { StageConfig } from './stage-config.ts';

/** The functions' `POLLS_PER_HOUR`: JSON, how many polls an hour has of each exchange. */
export function pollsPerHour({ sources }: StageConfig): string {
  const polls = sources.map(({ exchange, everyMinutes }) => [exchange, 60 / everyMinutes] as const);
  return JSON.stringify({ default: 30, ...Object.fromEntries(polls) });
}
