import { once } from 'node:events';
import { rowParts } from '../../core/operate/backfill/row-parts.ts';
import type { ReaderMessage } from './apart.ts';
import { withHistory } from './history.ts';
import { HistoryFileError } from './history-file-error.ts';
import type { HistoryOptions } from './options.ts';

/** Reads files for `withHistoryApart`, which ends it. Ctrl-C reaches both, and it is for the parent to end in order. */
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());

const options = JSON.parse(process.argv[2] ?? '{}') as HistoryOptions;
const send = (message: ReaderMessage) => void process.send?.(message);

try {
  const onProgress = (fraction: number) => send({ kind: 'progress', fraction });
  await withHistory({ ...options, onProgress }, async ({ candles, ...summary }) => {
    send({ kind: 'checked', summary });
    for await (const part of rowParts(candles())) {
      await once(process, 'message');
      send({ kind: 'part', part });
    }
    await once(process, 'message');
    send({ kind: 'end' });
  });
} catch (error) {
  const { message, stack } = error as Error;
  const place = error instanceof HistoryFileError ? { file: error.file, line: error.line } : {};
  send({ kind: 'failed', message, stack, ...place });
}
