import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mergeSlices, runOperation } from '../../../cli/operation.ts';
import type { Target } from '../../../cli/targets/target.ts';
import { HOUR_MS } from '../../../core/market/time.ts';
import type { OperationEvent, Slice } from '../../../core/operate/operation.ts';

describe('the outputs of slices', () => {
  it('become one: numbers added, lists joined without duplicates, the last value of anything else', () => {
    interface Output {
      hours: number;
      moves?: number;
      problems: string[];
      until?: string;
    }
    const slices: Output[] = [
      { hours: 1, problems: ['a'], until: '2018-07-01' },
      { hours: 2, moves: 3, problems: ['b', 'a'], until: '2018-07-02' },
      { hours: 3, moves: 4, problems: [] },
    ];
    expect(mergeSlices(slices)).toEqual({ hours: 6, moves: 7, problems: ['a', 'b'], until: '2018-07-02' });
  });
});

describe('an interrupted operation', () => {
  const PARTS = 5;
  const signal = new AbortController().signal;
  let folder: string;
  let printed: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'operation-'));
    printed = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  /** Does one part in each slice, and is stopped before `stopAt`. */
  function targetAt(place: string, stopAt?: number) {
    const events: OperationEvent[] = [];
    const target: Target = {
      title: 'this machine',
      now: new Date(),
      stores: undefined,
      place: async () => [place],
      sliceMs: 1,
      async invoke(_, event): Promise<Slice<{ parts: number }>> {
        const { cursor = 0 } = event as { cursor?: number };
        if (cursor === stopAt) throw new Error('stopped');
        events.push(event as OperationEvent);
        const done = cursor + 1;
        const next = done < PARTS ? { cursor: done } : {};
        return { ...next, progress: { done, total: PARTS, unit: 'hours' }, output: { parts: 1 } };
      },
    };
    return { target, events };
  }

  const run = (target: Target, given: { command?: object; restart?: boolean } = {}) =>
    runOperation(target, 'replay', {}, { folder, signal, resume: { command: { direct: true }, ...given } });

  async function interrupt(place = 'server A'): Promise<void> {
    await expect(run(targetAt(place, 3).target)).rejects.toThrow('stopped');
    printed.length = 0;
  }

  it('resumes where it stopped, and says so', async () => {
    await interrupt();
    const { target, events } = targetAt('server A');
    expect(await run(target)).toHaveLength(2);
    expect(events).toMatchObject([{ cursor: 3, resumed: true }, { cursor: 4 }]);
    expect(events[1]).not.toHaveProperty('resumed');
    expect(printed.join('')).toMatch(
      /^Resuming from 3 of 5 hours, where this command stopped at \d{4}-.* UTC\./,
    );
    expect(printed.join('')).toContain('--restart');
    expect(readdirSync(join(folder, 'operations'))).toEqual([]);
  });

  it('begins at the beginning on other stores', async () => {
    await interrupt('server A');
    const { target, events } = targetAt('server B');
    expect(await run(target)).toHaveLength(PARTS);
    expect(events[0]).not.toHaveProperty('cursor');
    expect(printed).toEqual([]);
  });

  it('begins at the beginning with another command', async () => {
    await interrupt();
    expect(await run(targetAt('server A').target, { command: { direct: false } })).toHaveLength(PARTS);
  });

  it('begins at the beginning after a day', async () => {
    await interrupt();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 24 * HOUR_MS });
    expect(await run(targetAt('server A').target)).toHaveLength(PARTS);
    expect(printed).toEqual([]);
  });

  it('starts over with --restart', async () => {
    await interrupt();
    expect(await run(targetAt('server A').target, { restart: true })).toHaveLength(PARTS);
    expect(printed).toEqual([]);
  });
});
