import { readFileSync } from 'node:fs';
import { show } from '../../core/text/show.ts';
import { StageConfigError } from './stage-config.ts';

/** Overrides for any part of a stage's configuration, as read from a JSON file; checked once they are merged. */
export type StageSettings = Record<string, unknown>;

/** @throws StageConfigError */
export function readSettings(file: string | undefined): StageSettings {
  if (file === undefined) return {};
  let settings: unknown;
  try {
    settings = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new StageConfigError(`Cannot read the settings in ${file}: ${(cause as Error).message}`, { cause });
  }
  if (isRecord(settings)) return settings;
  throw new StageConfigError(
    `The settings in ${file} must be a JSON object such as {"budget": {"monthlyUsd": 250}}, not ${show(settings)}.`,
  );
}

/** Merges `above` into `below`, level by level; a list replaces the list below it. */
export function layOver(below: unknown, above: unknown): unknown {
  if (!isRecord(below) || !isRecord(above)) return above;
  const laid = Object.entries(above).map(([key, value]) => [
    key,
    Object.hasOwn(below, key) ? layOver(below[key], value) : value,
  ]);
  // Assigning a key named `__proto__` would hide it from the check of the keys.
  return Object.fromEntries([...Object.entries(below), ...laid]);
}

function isRecord(value: unknown): value is StageSettings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
