import type { StageConfig } from './stage-config.ts';

/** Every exchange that a stage polls, once. */
export function exchangesOf({ sources }: Pick<StageConfig, 'sources'>): string[] {
  return [...new Set(sources.map(({ exchange }) => exchange))];
}
