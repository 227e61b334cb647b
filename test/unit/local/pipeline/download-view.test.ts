import { expect, it } from 'vitest';
import { downloadView } from '../../../../local/pipeline/download-view.ts';

it('shows the megabytes, and the time left at the speed since the first of them', () => {
  const shown: [number, string][] = [];
  let ms = 0;
  const report = downloadView(
    (fraction, text) => shown.push([fraction, text]),
    () => ms,
  );
  for (const [atMs, megabytes] of [
    [0, 0],
    [9_000, 10],
    [10_000, 50],
    [11_000, 100],
  ] as const) {
    ms = atMs;
    report({ doneBytes: megabytes * 1_000_000, totalBytes: 100_000_000 });
  }
  expect(shown).toEqual([
    [0, '0 of 100 MB'],
    [0.1, '10 of 100 MB'],
    [0.5, '50 of 100 MB, 2 s left'],
    [1, '100 of 100 MB, 0 s left'],
  ]);
});
