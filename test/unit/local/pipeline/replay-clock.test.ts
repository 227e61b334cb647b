import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localNow, ReplayClock } from '../../../../local/pipeline/replay-clock.ts';

describe('the replay clock', () => {
  const SLOT = Date.parse('2018-07-01T00:20:00Z');
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clock-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has no position before the first poll, when now is real time', () => {
    expect(new ReplayClock(folder).position).toBeUndefined();
    expect(localNow(folder).getUTCFullYear()).toBeGreaterThan(2018);
  });

  it('keeps its position between runs, and sets now', () => {
    new ReplayClock(folder).set(SLOT, true);
    expect(new ReplayClock(folder).position).toEqual({ slotMs: SLOT, polled: true });
    expect(localNow(folder)).toEqual(new Date(SLOT));
  });

  it('rests during a run with another source, and keeps its position', () => {
    const clock = new ReplayClock(folder);
    clock.set(SLOT, true);
    clock.rest();
    expect(localNow(folder).getUTCFullYear()).toBeGreaterThan(2018);
    expect(new ReplayClock(folder).position).toEqual({ slotMs: SLOT, polled: true });
  });
});
