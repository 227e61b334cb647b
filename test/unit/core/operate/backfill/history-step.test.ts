import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../../../core/market/time.ts';
import { addsUp, stepName, stepOf } from '../../../../../core/operate/backfill/history-step.ts';

function distancesOf(starts: readonly number[]): Map<number, number> {
  const distances = new Map<number, number>();
  for (const [index, start] of starts.slice(1).entries()) {
    const ms = start - (starts[index] ?? 0);
    distances.set(ms, (distances.get(ms) ?? 0) + 1);
  }
  return distances;
}
const startsOf = (count: number, stepMs: number) => Array.from({ length: count }, (_, at) => at * stepMs);

describe('the step of rows', () => {
  it('is told in spite of gaps, or not at all', () => {
    const steps = [1, 5, 15, 30, 60, 120, 240, 360, 480, 720, 1_440, 10_080].map(
      (minutes) => minutes * MINUTE_MS,
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...steps),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 400 }),
        fc.double({ min: 0.3, max: 1 }),
        (stepMs, chances, kept) => {
          const starts = startsOf(chances.length, stepMs).filter((_, at) => (chances[at] ?? 0) <= kept);
          const found = stepOf(distancesOf(starts));
          // Of few rows with gaps alone a longer step may be all that they show.
          const isClear = distancesOf(starts).has(stepMs) && starts.length > 60;
          if (isClear) expect(found).toEqual({ stepMs });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is monthly, whatever the lengths of the months', () => {
    const starts = Array.from({ length: 14 }, (_, month) => Date.UTC(2023, month, 1));
    const found = stepOf(distancesOf(starts));
    expect(found && 'stepMs' in found && stepName(found.stepMs)).toBe('monthly');
    expect(found && 'stepMs' in found && addsUp(found.stepMs)).toBe(false);
  });

  it('is that of nearly all rows, if an outage moved one', () => {
    const starts = startsOf(50, 4 * HOUR_MS).map((ms, at) => (at === 20 ? ms + HOUR_MS : ms));
    expect(stepOf(distancesOf(starts))).toEqual({ stepMs: 4 * HOUR_MS });
  });

  it('is not clear if no two rows are neighbours, or there is only one', () => {
    expect(stepOf(distancesOf([0, 2 * HOUR_MS, 5 * HOUR_MS]))).toBeUndefined();
    expect(stepOf(new Map())).toBeUndefined();
  });

  it('is not one if days are followed by hours', () => {
    const days = startsOf(30, DAY_MS);
    const hours = startsOf(200, HOUR_MS).map((ms) => 30 * DAY_MS + ms);
    expect(stepOf(distancesOf([...days, ...hours]))).toEqual({ mixed: [HOUR_MS, DAY_MS] });
  });

  it.each([
    [MINUTE_MS, '1-minute', true],
    [15 * MINUTE_MS, '15-minute', true],
    [HOUR_MS, 'hourly', true],
    [2 * HOUR_MS, '2-hour', false],
    [12 * HOUR_MS, '12-hour', false],
    [DAY_MS, 'daily', true],
    [7 * DAY_MS, 'weekly', false],
    [1_000, '1-second', false],
  ])('of %i ms is called %s', (stepMs, name, isRead) => {
    expect([stepName(stepMs), addsUp(stepMs)]).toEqual([name, isRead]);
  });
});
