import type { RecordedRow } from '../../core/operate/backfill/row-parts.ts';
import { withHistory } from './history.ts';

/**
 * All candles of a file that fits in memory, by symbol and time.
 * @throws HistoryFileError
 */
export function readHistory(file: string): Promise<RecordedRow[]> {
  return withHistory({ files: [file], nowMs: Date.now() }, ({ candles }) => Array.fromAsync(candles()));
}
