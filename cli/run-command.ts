import { note } from './print.ts';

/** The user asked the command to stop. */
export class StoppedBySignal extends Error {
  override readonly name = 'StoppedBySignal';
}

/**
 * Runs a command to its end. Ctrl-C aborts the signal, an error is printed on one line.
 * @param work returns the exit code, usually 0, or 1 for a finding such as "lake and index disagree"
 * @param failureCode the exit code when the work throws
 * @returns the exit code; 130 after a signal
 */
export async function runCommand(
  work: (signal: AbortSignal) => Promise<number>,
  failureCode = 2,
): Promise<number> {
  const end = new AbortController();
  // npm and the terminal both send the signal; only the first one counts.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => end.abort(new StoppedBySignal(`Stopped by ${name}`)));
  }
  // The reader of the output has left (`| head`).
  process.stdout.on('error', (error) => end.abort(error));
  try {
    return await work(end.signal);
  } catch (error) {
    const reason = end.signal.aborted ? end.signal.reason : error;
    note(`✖ ${reason instanceof Error ? reason.message || reason.name : String(reason)}`);
    return reason instanceof StoppedBySignal ? 130 : failureCode;
  }
}
