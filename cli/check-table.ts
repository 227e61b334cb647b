import type { Check } from '../core/operate/doctor/check.ts';
import { textTable } from '../core/text/text-table.ts';

const SIGNS = { ok: '✔', warn: '!', fail: '✖' } as const;

/** A line for each check, and what to do about it below. */
export function checkTable(checks: readonly Check[]): string {
  const rows = checks.flatMap(({ name, status, finding, advice }) => [
    [SIGNS[status], name, finding],
    ...(advice ? [['', '', `→ ${advice}`]] : []),
  ]);
  return textTable(['', 'check', 'finding'], rows, [0, 1, 2]);
}
