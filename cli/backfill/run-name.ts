import { randomBytes } from 'node:crypto';

/** A name for a run, by which it can be undone: `20260131-140000-3f9a`. */
export function newRunName(): string {
  const [date = '', time = ''] = new Date().toISOString().split('T');
  return `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${randomBytes(2).toString('hex')}`;
}
