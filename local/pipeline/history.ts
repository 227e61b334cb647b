import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from '@opensearch-project/opensearch';
import { SUMMARY_STATE_INDEX } from '../../core/market/index-names.ts';
import { rowParts } from '../../core/operate/backfill/row-parts.ts';
import type { OperationEvent } from '../../core/operate/operation.ts';
import { backfillRows } from '../history-files/backfill-rows.ts';
import { readHistory } from '../history-files/read-history.ts';
import { REPLAY_START_MS } from '../market-replay/replay-market.ts';

/** The hourly prices of the market replay. */
export const HOURLY_HISTORY = fileURLToPath(new URL('../../data/hourly-2018.csv.gz', import.meta.url));
/** Daily prices over more years. */
export const DAILY_HISTORY = fileURLToPath(new URL('../../data/daily-2018-2021.csv.gz', import.meta.url));

export interface LoadHistoryOptions {
  openSearch: Client;
  /** Calls the operate function. */
  operate: (event: OperationEvent) => Promise<unknown>;
  /** Candles written so far, of how many. */
  onProgress?: (done: number, total: number) => void;
  signal: AbortSignal;
}

/**
 * Backfills the bundled history, unless the index has it already: the hours before the market replay begins as
 * `recorded` (continued by the replay's ticks), the days as `archive`.
 * @returns the number of candles loaded
 */
export async function loadHistory(options: LoadHistoryOptions): Promise<number> {
  const { openSearch, operate, onProgress = () => {}, signal } = options;
  const noteId = await noteIdOf([HOURLY_HISTORY, DAILY_HISTORY]);
  const { body: isLoaded } = await openSearch.exists({ index: SUMMARY_STATE_INDEX, id: noteId });
  if (isLoaded) return 0;

  const hourly = await readHistory(HOURLY_HISTORY);
  const parts = [
    { exchange: 'recorded', rows: hourly.filter(({ startMs }) => startMs < REPLAY_START_MS) },
    { exchange: 'archive', rows: await readHistory(DAILY_HISTORY) },
  ];
  const total = parts.reduce((sum, { rows }) => sum + rows.length, 0);
  let before = 0;
  for (const { exchange, rows } of parts) {
    const onPart = (done: number) => onProgress(before + done, total);
    const options = { invoke: operate, onProgress: onPart, signal };
    // Questions are answered from candles, so the moves can wait for the first run of summarise.
    await backfillRows(
      { exchange, category: 'spot', parts: rowParts(rows) },
      { ...options, makeMoves: false },
    );
    before += rows.length;
  }
  await openSearch.index({ index: SUMMARY_STATE_INDEX, id: noteId, body: { kind: 'note', note: { total } } });
  return total;
}

/** Differs if the files do. */
async function noteIdOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  return `history:${hash.digest('hex').slice(0, 16)}`;
}
