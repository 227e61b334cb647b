import { randomUUID } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { counted, formatCount } from '../../core/text/format.ts';
import type { LakeSession, PreparedQuery } from '../../stores/duckdb/lake-session.ts';
import { progressBar } from '../operation.ts';
import { note, printEach } from '../print.ts';
import { csvLines, jsonLines, tableLines } from './result-text.ts';

export interface AnswerFlags {
  json?: boolean;
  csv?: boolean;
  parquet?: string;
  maxGb: number;
}

/** A query needs more of the lake than it may download. */
export class TooMuchToDownloadError extends Error {
  override readonly name = 'TooMuchToDownloadError';
}

/** The file that a query is written to, until it is complete. */
export function asideOf({ parquet }: AnswerFlags): string | undefined {
  return parquet && `${parquet}.${randomUUID()}`;
}

export interface AnswerOptions {
  signal: AbortSignal;
  /** See {@link asideOf}. */
  aside?: string | undefined;
  /** Asks the user; undefined without a terminal. */
  confirm?: ((question: string) => Promise<boolean>) | undefined;
}

/** Answers a query: says what it needs from the lake, downloads that, and prints the result. */
export async function answer(
  session: LakeSession,
  sql: string,
  flags: AnswerFlags,
  { signal, aside, confirm }: AnswerOptions,
): Promise<void> {
  const query = await session.prepare(sql, signal);
  await allow(query, flags.maxGb, confirm);
  const onProgress = progressOf(query);
  try {
    if (flags.parquet !== undefined && aside !== undefined) {
      const rows = await session.writeParquet(query, aside, signal, onProgress.add);
      renameSync(aside, flags.parquet);
      note(`✔ Wrote ${flags.parquet}: ${counted(rows, 'row')}.`);
    } else {
      const result = await session.run(query, signal, onProgress.add);
      onProgress.stop();
      const lines = flags.json
        ? jsonLines(result)
        : flags.csv
          ? csvLines(result)
          : tableLines(result, process.stdout.columns);
      await printEach(lines, signal);
    }
  } finally {
    onProgress.stop();
    if (aside !== undefined) rmSync(aside, { force: true });
  }
}

/**
 * Says how much a query downloads. @throws TooMuchToDownloadError if that exceeds the limit and the user does
 * not allow it
 */
async function allow(
  { plan }: PreparedQuery,
  maxGb: number,
  confirm: AnswerOptions['confirm'],
): Promise<void> {
  const { files, bytesToDownload } = plan;
  if (files.length === 0 || bytesToDownload === 0) return;
  const what = `${megabytes(bytesToDownload)} for ${counted(files.length, 'file')} from the lake`;
  if (bytesToDownload <= maxGb * 1e9) {
    note(`Downloading ${what}.`);
    return;
  }
  if (await confirm?.(`The query downloads ${what}. Continue? [y/N] `)) return;
  throw new TooMuchToDownloadError(
    `The query would download ${what}, more than --max-gb ${maxGb}. Limit it with --from, --to, --exchange, --category or --symbol, read fewer columns, or allow more.`,
  );
}

function megabytes(bytes: number): string {
  return bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${formatCount(Math.round(bytes / 1e6))} MB`;
}

function progressOf({ plan: { bytesToDownload } }: PreparedQuery): {
  add(bytes: number): void;
  stop(): void;
} {
  if (bytesToDownload === 0) return { add: () => {}, stop: () => {} };
  const bar = progressBar('lake');
  let done = 0;
  return {
    add(bytes) {
      done += bytes;
      bar.show({ done: Math.round(done / 1e6), total: Math.ceil(bytesToDownload / 1e6), unit: 'MB' });
    },
    stop: () => bar.stop(),
  };
}
