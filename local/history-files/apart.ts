import { type ChildProcess, fork } from 'node:child_process';
import { on } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RowPart } from '../../core/operate/backfill/row-parts.ts';
import { type HistorySummary, withScratch } from './history.ts';
import { HistoryFileError } from './history-file-error.ts';
import type { HistoryOptions } from './options.ts';

/** Messages from the reader process. */
export type ReaderMessage =
  | { kind: 'progress'; fraction: number }
  | { kind: 'checked'; summary: HistorySummary }
  | { kind: 'part'; part: RowPart }
  | { kind: 'end' }
  | { kind: 'failed'; file?: string; line?: number | undefined; message: string; stack: string | undefined };

/** The message to the reader process: send the next part. */
export type ReaderRequest = 'next';

/** A history in parts, read by a process of its own. */
export interface HistoryParts extends HistorySummary {
  parts(): AsyncGenerator<RowPart>;
}

const READER = fileURLToPath(new URL('reader-process.ts', import.meta.url));

/**
 * Most of what the reader allocates is short-lived. Without limits, the heap would grow far beyond what it
 * needs.
 */
export const READER_HEAP = ['--max-semi-space-size=4', '--max-old-space-size=128'];

/**
 * {@link withHistory} in a process of its own, whose heap is small, however long the files are.
 * @throws HistoryFileError at the first row that is not right
 */
export function withHistoryApart<T>(
  { onProgress = () => {}, ...options }: HistoryOptions,
  work: (history: HistoryParts) => Promise<T>,
): Promise<T> {
  return withScratch(async (scratch) => {
    const child = fork(READER, [JSON.stringify({ ...options, scratch })], { execArgv: READER_HEAP });
    try {
      const messages = messagesOf(child);
      for await (const message of messages) {
        if (message.kind === 'progress') onProgress(message.fraction);
        else if (message.kind === 'checked') {
          return await work({ ...message.summary, parts: () => partsOf(child, messages) });
        }
      }
      throw new Error('The process that reads the files ended without an answer');
    } finally {
      child.kill('SIGKILL');
    }
  }, options.scratch);
}

async function* partsOf(
  child: ChildProcess,
  messages: AsyncIterableIterator<ReaderMessage>,
): AsyncGenerator<RowPart> {
  for (;;) {
    child.send('next' satisfies ReaderRequest);
    const { value } = await messages.next();
    if (value?.kind !== 'part') return;
    yield value.part;
  }
}

/** @throws what the reader failed with */
async function* messagesOf(child: ChildProcess): AsyncGenerator<ReaderMessage> {
  const ended = new AbortController();
  child.once('exit', (code, signal) => ended.abort(new Error(`The reader ended with ${code ?? signal}`)));
  child.once('error', (error) => ended.abort(error));
  const events = on(child, 'message', { signal: ended.signal });
  try {
    for await (const [message] of events as AsyncIterable<[ReaderMessage]>) {
      if (message.kind === 'failed') throw errorOf(message);
      yield message;
    }
  } catch (error) {
    throw (error as Error).name === 'AbortError' ? ended.signal.reason : error;
  }
}

function errorOf({ file, line, message, stack }: Extract<ReaderMessage, { kind: 'failed' }>): Error {
  if (file !== undefined) return HistoryFileError.of(file, line, message);
  return Object.assign(new Error(message), { stack });
}
