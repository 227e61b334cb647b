import type { StageConfig } from './stage-config.ts';

/** Names of the exchanges that a stage polls, each once. */
export function exchangesOf({ sources }: StageConfig): string[] {
  return [...new Set(sources.map(({ exchange }) => exchange))];
}
