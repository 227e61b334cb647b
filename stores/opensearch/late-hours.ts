import { LATE_HOURS_INDEX } from '../../core/market/index-names.ts';
import type { BulkAction } from './bulk-request.ts';

/** An hour with ticks that came late, until summarise has taken note of it. */
export interface LateHour {
  /** Its start, ISO 8601 UTC. */
  hour: string;
}

/** Records the hour of a slot (ISO 8601 UTC); if it is recorded already, this changes nothing. */
export function recordLateHour(slot: string): BulkAction {
  const lateHour: LateHour = { hour: `${slot.slice(0, 13)}:00:00.000Z` };
  return { kind: 'create', index: LATE_HOURS_INDEX, id: lateHour.hour, source: JSON.stringify(lateHour) };
}
