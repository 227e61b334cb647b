import * as z from 'zod';
import { monthWindow } from '../market/index-names.ts';
import type { Operation, OperationServices, Slice, SliceBudget } from './operation.ts';
import { addProblems } from './operation.ts';
import { type ReplayOutput, replay } from './replay.ts';
import type { TimeRange } from './time-range.ts';
import { type VerifyOutput, verify } from './verify.ts';

const inputSchema = z.strictObject({
  /** `YYYY.MM`. @default all whose index is of an older shape */
  months: z.array(z.string().regex(/^\d{4}\.\d{2}$/, 'expected a month such as 2026.03')).optional(),
});

/** What one slice did. */
export interface ReindexOutput {
  /** Months that were rebuilt, `YYYY.MM`. */
  months: string[];
  /** Their tickers. */
  indexed: number;
  /** What the lake has but cannot be indexed, and why. */
  problems: string[];
}

/** The index has tickers that the lake lacks, so it cannot be rebuilt. */
export class ReindexError extends Error {
  override readonly name = 'ReindexError';
}

interface ReindexCursor {
  /** Left to do; the first is under way. */
  months: string[];
  /** Its index is deleted once the lake is known to have all of it. */
  phase: 'compare' | 'fill';
  /** Of the `verify` or `replay` of this month. */
  cursor?: unknown;
}

/**
 * Rebuilds monthly indices of tickers from the lake, with the current mapping. A month is deleted only after
 * a comparison has shown that the lake has all of it. New polls go into the new index; if this is killed
 * halfway, the same command, or `replay`, fills in the rest.
 */
export const reindex: Operation<z.infer<typeof inputSchema>, ReindexOutput> = {
  name: 'reindex',
  input: inputSchema,
  async slice(input, cursor, services, budget) {
    const state = (cursor as ReindexCursor | undefined) ?? {
      months: input.months ?? (await services.searchHealth.olderMonths()),
      phase: 'compare',
    };
    const output: ReindexOutput = { months: [], indexed: 0, problems: [] };
    const [month, ...others] = state.months;
    if (month === undefined) return { progress: { done: 1, total: 1, unit: 'months' }, output };
    const { fromMs, toMs } = monthWindow(month);
    const range = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
    const next = (rest: ReindexCursor, { progress }: Slice<unknown>) => ({
      ...(rest.months.length > 0 ? { cursor: rest } : {}),
      progress: {
        ...progress,
        unit: `${progress.unit} of ${month}, ${state.phase === 'compare' ? 'compared' : 'indexed'}`,
      },
      output,
    });
    const work = state.phase === 'compare' ? compare : fill;
    const slice = await work(range, state.cursor, services, budget, output);
    if (slice.cursor !== undefined) return next({ ...state, cursor: slice.cursor }, slice);
    if (state.phase === 'compare') {
      await services.tickerIds.deleteMonth(month);
      return next({ months: state.months, phase: 'fill' }, slice);
    }
    output.months.push(month);
    return next({ months: others, phase: 'compare' }, slice);
  },
};

type Work = (
  range: Pick<TimeRange, 'from' | 'to'>,
  cursor: unknown,
  services: OperationServices,
  budget: SliceBudget,
  output: ReindexOutput,
) => Promise<Slice<unknown>>;

const compare: Work = async (range, cursor, services, budget) => {
  const slice: Slice<VerifyOutput> = await verify.slice(
    { ...range, patienceMs: 0 },
    cursor,
    services,
    budget,
  );
  const extra = slice.output.differences.filter((difference) => difference.extra > 0);
  if (extra.length === 0) return slice;
  const examples = extra.flatMap((difference) => difference.examples).slice(0, 3);
  throw new ReindexError(
    `The index has tickers between ${range.from} and ${range.to} that the lake lacks, such as ${examples.join(', ')}: they would be lost, so the index stays as it is. "verify" lists all of them.`,
  );
};

const fill: Work = async (range, cursor, services, budget, output) => {
  const slice: Slice<ReplayOutput> = await replay.slice({ ...range, direct: true }, cursor, services, budget);
  output.indexed += slice.output.indexed;
  addProblems(output, slice.output.problems);
  return slice;
};
