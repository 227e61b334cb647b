import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { identifyProcess, isSameProcess, parseProcStat } from '../../../../local/engines/process-identity.ts';

describe('a process identity', () => {
  it('stays the same while the process runs', () => {
    const identity = identifyProcess(process.pid);
    expect(identity).toEqual(identifyProcess(process.pid));
    expect(identity && isSameProcess(identity)).toBe(true);
  });

  it('differs from that of another process with the same pid', () => {
    expect(isSameProcess({ pid: process.pid, startTime: 'long ago' })).toBe(false);
  });

  it('ends with the process', async () => {
    const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const identity = identifyProcess(child.pid ?? 0);
    expect(identity && isSameProcess(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(identity && isSameProcess(identity)).toBe(false);
    expect(identifyProcess(child.pid ?? 0)).toBeUndefined();
  });
});

describe('parseProcStat', () => {
  const rest = 'S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 11 12';

  it('finds state and start time behind any command name', () => {
    expect(parseProcStat(`42 (a) b (c)) ${rest}`)).toEqual({ state: 'S', startTicks: '987654' });
  });

  it('gives nothing of a text that is cut off', () => {
    expect(parseProcStat('42 (java) S 1')).toBeUndefined();
    expect(parseProcStat('')).toBeUndefined();
  });
});
