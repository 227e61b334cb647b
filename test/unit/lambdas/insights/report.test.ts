import { describe, expect, it } from 'vitest';
import type { ReportStore } from '../../../../charts/report-store.ts';
import { reportEvent, reportSlice } from '../../../../lambdas/insights/report.ts';

const input = { asOf: '2025-01-01T00:00:00Z', currencies: 2 };
const empty = { search: async () => ({}), insights: {}, samplingIntervals: {} } as unknown as ReportStore;

describe('an event that asks for a report', () => {
  it('carries the cursor of the previous slice', () => {
    const event = { operation: 'report', input, sliceMs: 2_000, cursor: { series: ['a:spot:B'], done: 3 } };
    expect(reportEvent.parse(event)).toEqual(event);
  });

  it.each([
    [{ operation: 'verify' }],
    [{ input: { ...input, currencies: 0 } }],
    [{ input: { ...input, asOf: 'now' } }],
    [{ cursor: { done: -1, series: [] } }],
    [{ question: 'series' }],
  ])('is refused with %j', (given) => {
    expect(reportEvent.safeParse({ operation: 'report', input, ...given }).success).toBe(false);
  });
});

it('a report of an empty index is one slice without choices', async () => {
  const slice = await reportSlice({ input, cursor: undefined }, empty, () => true);
  expect(slice).toEqual({
    output: { choices: [], summaries: [], answers: [] },
    progress: { done: 0, total: 0, unit: 'answers' },
  });
});
