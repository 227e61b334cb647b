import { type Lock, PipelineRunningError, takeLock } from '../../../../local/pipeline/lock.ts';

export type RacerOrder = { folder: string; atMs: number } | 'release';
export type RacerAnswer = 'held' | 'refused' | 'released' | { error: string };

let lock: Lock | undefined;
const asleep = new Int32Array(new SharedArrayBuffer(4));

/** Takes a folder's lock at a given time, together with other processes, and keeps it until told to release it. */
process.on('message', (order: RacerOrder) => {
  const answer = (text: RacerAnswer) => {
    process.send?.(text);
  };
  if (order === 'release') {
    lock?.release();
    lock = undefined;
    answer('released');
    return;
  }
  // Those that wait leave the processors to the others until just before the start.
  Atomics.wait(asleep, 0, 0, Math.max(0, order.atMs - Date.now() - 1));
  while (Date.now() < order.atMs);
  try {
    lock = takeLock(order.folder);
    answer('held');
  } catch (error) {
    answer(error instanceof PipelineRunningError ? 'refused' : { error: String(error) });
  }
});
