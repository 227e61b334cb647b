import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { samplingIntervalsVariable } from '../../../../core/market/sampling.ts';
import type { SourceConfig } from '../../../../exchanges/source-config.ts';
import { keepSamplingIntervals, samplingIntervalsIn } from '../../../../local/pipeline/sampling-intervals.ts';

const GATE: Pick<SourceConfig, 'exchange' | 'categories'> = { exchange: 'gate', categories: ['spot'] };

describe('the sampling intervals of the local pipeline', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sampling-intervals-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are a quarter of an hour in the replay', () => {
    expect(samplingIntervalsIn(folder)).toEqual({ 'recorded:spot': 900_000 });
  });

  it('are those of the last run of each exchange', () => {
    keepSamplingIntervals(folder, [{ exchange: 'okx', categories: ['spot', 'linear'] }, GATE], 120_000);
    keepSamplingIntervals(folder, [{ exchange: 'okx', categories: ['spot'] }], 10_000);
    expect(samplingIntervalsIn(folder)).toEqual({
      'okx:spot': 10_000,
      'gate:spot': 120_000,
      'recorded:spot': 900_000,
    });
  });

  it('are at least a second, as the functions require', () => {
    keepSamplingIntervals(folder, [GATE], 50);
    expect(samplingIntervalsVariable.parse(JSON.stringify(samplingIntervalsIn(folder)))).toMatchObject({
      'gate:spot': 1_000,
    });
  });
});
