import type { UndoOutput } from '../../core/operate/backfill/undo.ts';
import { counted, formatCount } from '../../core/text/format.ts';
import { mergeSlices, type RestartFlags, runOperation } from '../operation.ts';
import { print, problemLines } from '../print.ts';
import { type TargetFlags, withTarget } from '../targets/choose.ts';

export interface UndoFlags extends TargetFlags, RestartFlags {
  undo: string;
  json?: boolean;
}

/** @returns the exit code */
export function undoRun(flags: UndoFlags, signal: AbortSignal): Promise<number> {
  const { undo: run, folder, restart, json } = flags;
  return withTarget(flags, ['openSearch', 's3'], signal, async (target) => {
    const input = { run };
    const options = { folder, signal, resume: { command: input, restart } };
    const result = mergeSlices(await runOperation<UndoOutput>(target, 'undo', input, options));
    const { removed, candles, objects, problems } = result;
    if (json) print(JSON.stringify({ run, ...result }));
    else {
      print(
        `✔ ${run} is undone: ${counted(removed, 'candle')} removed, ${formatCount(candles)} restored or relinked; ${counted(objects, 'object')} of the lake deleted.`,
        ...problemLines(problems),
      );
    }
    return problems.length === 0 ? 0 : 1;
  });
}
