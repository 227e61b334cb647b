import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isLocked, PipelineRunningError, takeLock } from '../../../../local/pipeline/lock.ts';
import type { RacerAnswer, RacerOrder } from './lock-racer.ts';

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

describe('processes that start together', () => {
  const RACERS = 6;
  const ROUNDS = 40;
  const stale = (since: string) =>
    JSON.stringify({ pid: process.pid, startTime: 'another process that had this pid', since });
  const claimOf = (text: string) => `lock.json.${createHash('sha256').update(text).digest('hex')}`;
  let folder: string;
  let racers: ChildProcess[];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lock-'));
    const file = new URL('lock-racer.ts', import.meta.url);
    racers = Array.from({ length: RACERS }, () => fork(file));
  });
  afterAll(() => {
    for (const racer of racers) racer.kill();
    rmSync(folder, { recursive: true });
  });

  async function ask(racer: ChildProcess, order: RacerOrder): Promise<RacerAnswer> {
    const answer = once(racer, 'message');
    racer.send(order);
    return (await answer)[0];
  }

  it.each<[string, Record<string, string>]>([
    ['no lock', {}],
    ['the lock of a killed process', { 'lock.json': stale('a') }],
    ['an incomplete lock', { 'lock.json': '' }],
    [
      'the lock of a killed process, and of another that was killed as it took over',
      { 'lock.json': stale('a'), [claimOf(stale('a'))]: stale('b') },
    ],
  ])(
    'find %s: one of them gets it',
    async (_, files) => {
      const holders: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const data = mkdtempSync(join(folder, 'round-'));
        for (const [name, text] of Object.entries(files)) writeFileSync(join(data, name), text);
        const atMs = Date.now() + 20;
        const answers = await Promise.all(racers.map((racer) => ask(racer, { folder: data, atMs })));
        expect(answers.filter((answer) => answer !== 'held' && answer !== 'refused')).toEqual([]);
        holders.push(answers.filter((answer) => answer === 'held').length);
        expect(readdirSync(data)).toEqual(['lock.json']);
        await Promise.all(racers.map((racer) => ask(racer, 'release')));
        expect(readdirSync(data)).toEqual([]);
      }
      expect(holders).toEqual(Array(ROUNDS).fill(1));
    },
    60_000,
  );
});
