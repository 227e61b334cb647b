import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordedRow } from '../../core/operate/backfill/row-parts.ts';
import { checkRows, type SortedSymbol } from './check-rows.ts';
import { Database } from './database.ts';
import { findFiles } from './find-files.ts';
import type { HistoryOptions } from './options.ts';
import { type FileReport, stageFiles } from './stage-files.ts';
import { storedCandles } from './stored-candles.ts';

/** A history in which everything is right. */
export interface CheckedHistory {
  files: FileReport[];
  symbols: SortedSymbol[];
  /** What was left out, for the user to know. */
  notes: string[];
  /** How many candles follow. */
  total: number;
  /** Hourly and daily candles by symbol, each in time order. */
  candles(): AsyncGenerator<RecordedRow>;
}

/**
 * Reads files of price history, in whatever form they come, and checks every row before `work` gets a candle.
 * @throws HistoryFileError at the first row that is not right
 */
export async function withHistory<T>(
  options: HistoryOptions,
  work: (history: CheckedHistory) => Promise<T>,
): Promise<T> {
  const paths = findFiles(options.files);
  const folder = await mkdtemp(join(options.scratch ?? tmpdir(), 'history-'));
  const database = await Database.open(folder);
  try {
    const files = await stageFiles(database, paths, folder, options);
    const checked = await checkRows(database, files, options);
    const { symbols, notes, total } = checked;
    return await work({
      files,
      symbols,
      notes,
      total,
      candles: () => storedCandles(database, symbols, options.nowMs),
    });
  } finally {
    database.close();
    await rm(folder, { recursive: true, force: true });
  }
}
