import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLocked, PipelineRunningError, takeLock } from '../../../../local/pipeline/lock.ts';

describe('the lock of a folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'lock-')), 'data');
  });
  afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

  it('is held by one process at a time; the error names it', () => {
    const lock = takeLock(folder);
    expect(isLocked(folder)).toBe(true);
    expect(() => takeLock(folder)).toThrow(PipelineRunningError);
    expect(() => takeLock(folder)).toThrow(`process ${process.pid}`);
    lock.release();
  });

  it('can be taken again after its release', () => {
    takeLock(folder).release();
    expect(isLocked(folder)).toBe(false);
    takeLock(folder).release();
  });

  it('is taken over from a process that has ended', () => {
    takeLock(folder).release();
    writeFileSync(
      join(folder, 'lock.json'),
      JSON.stringify({ pid: process.pid, startTime: 'another process that had this pid', since: 'long ago' }),
    );
    expect(isLocked(folder)).toBe(false);
    takeLock(folder).release();
  });

  it('is taken over if a kill left an incomplete file', () => {
    takeLock(folder).release();
    writeFileSync(join(folder, 'lock.json'), '{"pid": 1');
    takeLock(folder).release();
  });
});
