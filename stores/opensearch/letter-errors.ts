import type { DeadLetter } from '../../core/index/ports.ts';
import { isDocumentsOwn } from './document-errors.ts';

/** A letter's reason, as the bulk writer words it. */
const REASON = /^(?<status>\d{3}) [^:]*: (?<cause>.*)$/s;

/** Whether OpenSearch may accept a letter now, although nobody has fixed anything. */
export function isTransient({
  error_type: type,
  reason,
}: Pick<DeadLetter, 'error_type' | 'reason'>): boolean {
  const { status, cause = '' } = REASON.exec(reason)?.groups ?? {};
  return type !== 'poison' && !isDocumentsOwn(Number(status), { type, reason: cause });
}
