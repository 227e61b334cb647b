import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import cliProgress from 'cli-progress';
import type { Command } from 'commander';
import type { OperationEvent, Slice } from '../core/operate/operation.ts';
import { writeFileAtomically } from '../local/atomic-file.ts';
import type { ServiceName } from '../local/engines/engines.ts';
import type { LocalFunction } from '../local/pipeline/functions.ts';
import { perform } from './command.ts';
import { print } from './print.ts';
import { type TargetFlags, withTarget, withTargetOptions } from './targets/choose.ts';
import type { Target } from './targets/target.ts';

export interface OperationFlags extends TargetFlags {
  json?: boolean;
}

/** How a command runs one operation and prints what it did. */
interface OperationDefinition<Flags, Output, Result> {
  needs: (flags: Flags) => readonly ServiceName[];
  /** Whether the same command carries on where it was stopped. */
  resumable?: boolean;
  input: (flags: Flags, now: Date) => object;
  /** What --json prints. */
  result: (output: Output, now: Date) => Result;
  /** For people. */
  lines: (result: Result, flags: Flags, tookMs: number) => string[];
  exitCode: (result: Result) => number;
}

/** Completes a command whose operation has the same name. */
export function operationCommand<Flags extends OperationFlags, Output extends object, Result = Output>(
  command: Command,
  { needs, resumable = false, ...definition }: OperationDefinition<Flags, Output, Result>,
): Command {
  return withTargetOptions(command)
    .option('--json', 'print the result as one JSON object')
    .action(
      perform((signal, flags: Flags) =>
        withTarget(flags, needs(flags), signal, async (target) => {
          const startedMs = performance.now();
          const input = definition.input(flags, target.now);
          const options = { folder: flags.folder, signal, resumable };
          const slices = await runOperation<Output>(target, command.name(), input, options);
          const result = definition.result(mergeSlices(slices), target.now);
          if (flags.json) print(JSON.stringify(result));
          else print(...definition.lines(result, flags, performance.now() - startedMs));
          return definition.exitCode(result);
        }),
      ),
    );
}

interface OperateOptions<Output> {
  /** Keeps the cursors of interrupted operations. */
  folder: string;
  signal: AbortSignal;
  /** Keeps the cursor between runs, so that the same command carries on where it was stopped. @default false */
  resumable?: boolean;
  /** The function that does the slices. @default 'operate' */
  functionName?: LocalFunction;
  /** Handles a slice's output before the cursor moves on. */
  onOutput?: (output: Output, isLast: boolean) => Promise<void>;
}

/**
 * Runs an operation slice by slice to its end, with a progress bar on stderr if that is a terminal.
 * @returns the outputs of the slices, in order; only those of this run if an earlier one was interrupted
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

/** The outputs as one: numbers are added, lists joined without duplicates, of anything else the last value counts. */
export function mergeSlices<Output extends object>(slices: readonly Output[]): Output {
  const merged: Record<string, unknown> = {};
  for (const [name, value] of slices.flatMap((slice) => Object.entries(slice))) {
    const before = merged[name];
    if (typeof before === 'number' && typeof value === 'number') merged[name] = before + value;
    else if (Array.isArray(before) && Array.isArray(value)) merged[name] = [...before, ...value];
    else merged[name] = value;
  }
  for (const [name, value] of Object.entries(merged)) {
    if (Array.isArray(value)) merged[name] = [...new Set(value)];
  }
  return merged as Output;
}

/** A progress bar on stderr, if that is a terminal. */
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
