import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pollsPerHourVariable } from '../../../../core/market/polls.ts';
import { keepPollsPerHour, pollsPerHourIn } from '../../../../local/pipeline/polls-per-hour.ts';

describe('how often exchanges are polled on this machine', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'polls-per-hour-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is four times a recorded hour, where nothing was polled yet', () => {
    expect(pollsPerHourIn(folder)).toEqual({ recorded: 4 });
  });

  it('is as often as they were polled last, also after the run', () => {
    keepPollsPerHour(folder, ['okx', 'gate'], 120_000);
    keepPollsPerHour(folder, ['okx'], 10_000);
    expect(pollsPerHourIn(folder)).toEqual({ okx: 360, gate: 30, recorded: 4 });
  });

  it('is once a second at most, which the functions take', () => {
    keepPollsPerHour(folder, ['okx'], 50);
    expect(pollsPerHourVariable.parse(JSON.stringify(pollsPerHourIn(folder)))).toMatchObject({ okx: 3_600 });
  });
});
