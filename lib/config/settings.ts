import { readFileSync } from 'node:fs';
import { StageConfigError } from './stage-config.ts';

/** Overrides for any part of a stage's configuration, as read from a JSON file; checked once they are merged. */
export type StageSettings = Record<string, unknown>;

/** @throws StageConfigError */
export function readSettings(file: string | undefined): StageSettings {
  if (file === undefined) return {};
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as StageSettings;
  } catch (cause) {
    throw new StageConfigError(`Cannot read the settings in ${file}: ${(cause as Error).message}`, { cause });
  }
}

/** Merges `above` into `below`, level by level; a list replaces the list below it. */
export function layOver(below: unknown, above: unknown): unknown {
  if (!isRecord(below) || !isRecord(above)) return above;
  const merged: StageSettings = { ...below };
  for (const [key, value] of Object.entries(above)) {
    merged[key] = key in below ? layOver(below[key], value) : value;
  }
  return merged;
}

function isRecord(value: unknown): value is StageSettings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
