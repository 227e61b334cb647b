import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import cliProgress from 'cli-progress';
import type { OperationEvent, Slice } from '../core/operate/operation.ts';
import { writeFileAtomically } from '../local/atomic-file.ts';
import type { LocalFunction } from '../local/pipeline/functions.ts';
import type { Target } from './target.ts';

export interface OperateOptions<Output> {
  /** Holds the cursors of operations that were interrupted. */
  folder: string;
  signal: AbortSignal;
  /** Keeps the cursor between runs, so that the same command carries on where it was stopped. @default false */
  resumable?: boolean;
  /** Which function does the slices. @default 'operate' */
  functionName?: LocalFunction;
  /** Does something with a slice's output before the cursor moves on; `isLast` where no slice follows. */
  onOutput?: (output: Output, isLast: boolean) => Promise<void>;
}

/**
 * Runs an operation slice by slice to its end, with one progress bar on stderr where that is a terminal.
 * @returns the outputs of the slices, in their order (of this run only, where an earlier one was stopped)
 */
export async function runOperation<Output>(
  target: Target,
  operation: string,
  input: unknown,
  { folder, signal, resumable = false, functionName = 'operate', onOutput }: OperateOptions<Output>,
): Promise<Output[]> {
  const file = cursorFile(folder, [target.title, operation, input]);
  let cursor = resumable ? readCursor(file) : undefined;
  const bar = progressBar(operation);
  const outputs: Output[] = [];
  try {
    do {
      signal.throwIfAborted();
      const event: OperationEvent = {
        operation,
        input,
        sliceMs: target.sliceMs,
        ...(cursor === undefined ? {} : { cursor }),
      };
      const slice = (await target.invoke(functionName, event)) as Slice<Output>;
      await onOutput?.(slice.output, slice.cursor === undefined);
      outputs.push(slice.output);
      cursor = slice.cursor;
      bar.show(slice.progress);
      if (resumable && cursor !== undefined) writeFileAtomically(file, JSON.stringify(cursor));
    } while (cursor !== undefined);
    rmSync(file, { force: true });
    return outputs;
  } finally {
    bar.stop();
  }
}

/** A progress bar on stderr, where that is a terminal. */
export function progressBar(title: string): {
  show(progress: Slice<unknown>['progress']): void;
  stop(): void;
} {
  const bar = new cliProgress.SingleBar(
    {
      format: `${title} {bar} {percentage} %  {value}/{total} {unit}  {eta_formatted}`,
      stream: process.stderr,
      hideCursor: true,
    },
    cliProgress.Presets.shades_classic,
  );
  if (process.stderr.isTTY) bar.start(1, 0, { unit: '' });
  return {
    show({ done, total, unit }) {
      bar.setTotal(Math.max(1, total));
      bar.update(done, { unit });
    },
    stop: () => bar.stop(),
  };
}

function cursorFile(folder: string, identity: unknown[]): string {
  const home = join(folder, 'operations');
  mkdirSync(home, { recursive: true });
  const hash = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
  return join(home, `${hash}.json`);
}

function readCursor(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
