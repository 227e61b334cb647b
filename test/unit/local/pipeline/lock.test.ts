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

  it('is held by one process only, and names the holder', () => {
    const lock = takeLock(folder);
    expect(isLocked(folder)).toBe(true);
    expect(() => takeLock(folder)).toThrow(PipelineRunningError);
    expect(() => takeLock(folder)).toThrow(`process ${process.pid}`);
    lock.release();
  });

  it('can be taken again once it is released', () => {
    takeLock(folder).release();
    expect(isLocked(folder)).toBe(false);
    takeLock(folder).release();
  });

  it('is taken over from a process that is gone', () => {
    takeLock(folder).release();
    writeFileSync(
      join(folder, 'lock.json'),
      JSON.stringify({ pid: process.pid, startTime: 'another process that had this pid', since: 'long ago' }),
    );
    expect(isLocked(folder)).toBe(false);
    takeLock(folder).release();
  });

  it('is taken over where a kill left half a file', () => {
    takeLock(folder).release();
    writeFileSync(join(folder, 'lock.json'), '{"pid": 1');
    takeLock(folder).release();
  });
});
