/**
 * Runs a command to its end: Ctrl-C stops it in order, an error is told in one line.
 * @param work answers the exit code: 0, or 1 where it found what it looked for to be wrong
 * @returns the exit code; 2 where the work could not be done, 130 where it was stopped
 */
export async function runCommand(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const end = new AbortController();
  // A repeated signal finds the end under way: npm and the terminal both send one.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => end.abort(new Error(`Stopped by ${name}`)));
  }
  try {
    return await work(end.signal);
  } catch (error) {
    const reason = end.signal.aborted ? end.signal.reason : error;
    process.stderr.write(`✖ ${reason instanceof Error ? reason.message || reason.name : String(reason)}\n`);
    return end.signal.aborted ? 130 : 2;
  }
}
