import cliProgress from 'cli-progress';
import type { Command } from 'commander';
import type { OperationEvent, Slice } from '../core/operate/operation.ts';
import type { ServiceName } from '../local/engines/engines.ts';
import type { LocalFunction } from '../local/pipeline/functions.ts';
import { perform } from './command.ts';
import { CursorFile, resumingLine } from './kept-cursor.ts';
import { note, print } from './print.ts';
import { type TargetFlags, withTarget, withTargetOptions } from './targets/choose.ts';
import type { Target } from './targets/target.ts';

export interface OperationFlags extends TargetFlags, RestartFlags {
  json?: boolean;
}

export interface RestartFlags {
  restart?: boolean;
}

/** Adds the option of commands that resume where they were interrupted: {@link RestartFlags}. */
export function withRestartOption(command: Command): Command {
  return command.option('--restart', 'start over, even if the same command was interrupted before');
}

/** How a command runs one operation and prints what it did. */
interface OperationDefinition<Flags, Output, Result> {
  needs: (flags: Flags) => readonly ServiceName[];
  /** The function that does the slices. @default 'operate' */
  functionName?: LocalFunction;
  /** What the command does instead, if the flags ask for that; returns its exit code. */
  instead?: (flags: Flags, signal: AbortSignal) => Promise<number> | undefined;
  /** Whether the same command resumes where it was stopped. */
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
  {
    needs,
    functionName = 'operate',
    resumable = false,
    ...definition
  }: OperationDefinition<Flags, Output, Result>,
): Command {
  return withTargetOptions(resumable ? withRestartOption(command) : command)
    .option('--json', 'print the result as one JSON object')
    .action(
      perform(
        (signal, flags: Flags) =>
          definition.instead?.(flags, signal) ??
          withTarget(flags, needs(flags), signal, async (target) => {
            const startedMs = performance.now();
            const input = definition.input(flags, target.now);
            const resume = resumable ? { command: askedFor(flags), restart: flags.restart } : undefined;
            const options = { folder: flags.folder, signal, resume, functionName };
            const slices = await runOperation<Output>(target, command.name(), input, options);
            const result = definition.result(mergeSlices(slices), target.now);
            if (flags.json) print(JSON.stringify(result));
            else print(...definition.lines(result, flags, performance.now() - startedMs));
            return definition.exitCode(result);
          }),
      ),
    );
}

/** The flags that say what to do, without those that say where to do it and how to print. */
function askedFor(flags: OperationFlags): object {
  const { folder, stage, kafka, opensearch, s3, json, restart, ...asked } = flags;
  return Object.fromEntries(Object.entries(asked).sort());
}

interface OperateOptions<Output> {
  /** Keeps the cursors of interrupted operations. */
  folder: string;
  signal: AbortSignal;
  /**
   * Keeps the cursor, so that the same command resumes where it was interrupted, unless `restart` is set.
   * `command` is what the user asked for; an open end of the range is not part of it. @default always from
   * the beginning
   */
  resume?: { command: unknown; restart?: boolean | undefined } | undefined;
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
  { folder, signal, resume, functionName = 'operate', onOutput }: OperateOptions<Output>,
): Promise<Output[]> {
  const file =
    resume && new CursorFile(folder, { place: await target.place(), operation, command: resume.command });
  if (resume?.restart) file?.drop();
  const kept = file?.read();
  if (kept) note(resumingLine(kept));
  let resumed = kept !== undefined;
  let cursor = kept?.cursor;
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
        ...(resumed ? { resumed } : {}),
      };
      const slice = (await target.invoke(functionName, event)) as Slice<Output>;
      await onOutput?.(slice.output, slice.cursor === undefined);
      outputs.push(slice.output);
      cursor = slice.cursor;
      resumed = false;
      bar.show(slice.progress);
      if (cursor !== undefined) file?.write(cursor, slice.progress);
    } while (cursor !== undefined);
    file?.drop();
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
