import type { DownloadProgress } from '../engines/artifacts.ts';
import type { StepProgress } from './options.ts';

/** Shows how much of a download has come, and how long the rest will take at that speed. */
export function downloadView(
  show: StepProgress['progress'],
  nowMs: () => number = () => performance.now(),
): (progress: DownloadProgress) => void {
  let began: { ms: number; bytes: number } | undefined;
  return ({ doneBytes, totalBytes }) => {
    const text = `${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB`;
    const now = { ms: nowMs(), bytes: doneBytes };
    // Maven first fetches what it needs itself, which would make the rest look slow.
    if (doneBytes > 0) began ??= now;
    const bytes = began ? now.bytes - began.bytes : 0;
    if (!began || bytes === 0) return show(doneBytes / totalBytes, text);
    const leftMs = (totalBytes - doneBytes) * ((now.ms - began.ms) / bytes);
    show(doneBytes / totalBytes, `${text}, ${Math.ceil(leftMs / 1_000)} s left`);
  };
}

const megabytes = (bytes: number) => Math.round(bytes / 1_000_000);
