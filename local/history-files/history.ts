import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordedRow } from '../../core/operate/backfill/row-parts.ts';
import { Database } from '../../stores/duckdb/database.ts';
import { checkRows, type SortedSymbol } from './check-rows.ts';
import { findFiles } from './find-files.ts';
import type { HistoryOptions } from './options.ts';
import { type FileReport, stageFiles } from './stage-files.ts';
import { storedCandles } from './stored-candles.ts';

/** What was found in files in which everything is right. */
export interface HistorySummary {
  files: FileReport[];
  symbols: SortedSymbol[];
  /** What was left out, for the user to know. */
  notes: string[];
  /** How many candles they make. */
  total: number;
}

export interface CheckedHistory extends HistorySummary {
  /** Hourly and daily candles by symbol, each in time order. */
  candles(): AsyncGenerator<RecordedRow>;
}

/**
 * Reads files of price history, in whatever form they come, and checks every row before `work` gets a candle.
 * @throws HistoryFileError at the first row that is not right
 */
export function withHistory<T>(
  options: HistoryOptions,
  work: (history: CheckedHistory) => Promise<T>,
): Promise<T> {
  return withScratch(async (folder) => {
    const paths = findFiles(options.files);
    const database = await Database.open(folder);
    try {
      const files = await stageFiles(database, paths, folder, options);
      const checked = await checkRows(database, files, options);
      const candles = () => storedCandles(database, checked.symbols, options.nowMs);
      return await work({ files, ...checked, candles });
    } finally {
      database.close();
    }
  }, options.scratch);
}

/** Does work in a folder that is deleted afterwards. */
export async function withScratch<T>(work: (folder: string) => Promise<T>, parent = tmpdir()): Promise<T> {
  const folder = await mkdtemp(join(parent, 'history-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
