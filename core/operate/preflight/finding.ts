import type { Check, Result } from '../doctor/check.ts';

/** What one check found, and the settings that a stage needs because of it. */
export interface Finding extends Check {
  settings?: object;
}

export type FindingResult = Result & Pick<Finding, 'settings'>;

export function withSettings(result: Result, settings: object): FindingResult {
  return { ...result, settings };
}
