/** What one check found. */
export interface Check {
  name: string;
  status: 'ok' | 'warn' | 'fail';
  finding: string;
  /** What to do about it. */
  advice?: string;
}

export type Result = Omit<Check, 'name'>;

export const ok = (finding: string): Result => ({ status: 'ok', finding });
export const warn = (finding: string, advice: string): Result => ({ status: 'warn', finding, advice });
export const fail = (finding: string, advice: string): Result => ({ status: 'fail', finding, advice });
