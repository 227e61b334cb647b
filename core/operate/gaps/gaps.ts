import * as z from 'zod';
import { hoursByState, type LedgerEntry } from '../../completeness/ledger.ts';
import { REPAIR_RUN } from '../../completeness/recorded.ts';
import { ALL_TIME } from '../../insights/history.ts';
import { CATEGORIES, formatSeries, type Series } from '../../market/series.ts';
import { HOUR_MS, hourOf, parseDuration } from '../../market/time.ts';
import type { Window } from '../../market/window.ts';
import type { SummaryStore } from '../../summarise/ports.ts';
import { remakeMoves } from '../../summarise/remake-moves.ts';
import { bringNews } from '../heal.ts';
import type { Operation, OperationEvent, OperationServices, Slice } from '../operation.ts';
import { summarySlice } from '../summary-slice.ts';
import { timeRange } from '../time-range.ts';
import { Repair, type Repaired, repairableWindows } from './repair.ts';
import { SeriesLedgers } from './series-ledger.ts';

const inputSchema = z.strictObject({
  ...timeRange,
  category: z.enum(CATEGORIES).optional(),
  symbol: z.string().min(1).optional(),
  /** Only so long before the end, such as `3d`; instead of `from`. */
  over: z.string().refine(isDuration, 'expected a duration such as 3d').optional(),
  /** Also hours with data, and those in which the market was not listed. @default false */
  all: z.boolean().default(false),
  /** Fills what exchanges' candles can fill. @default false */
  repair: z.boolean().default(false),
  /** Requests to exchanges, at most. */
  requests: z.int().min(1).default(1_000),
  /** Replaces the exchange's own base URL. */
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
});

/**
 * The event of the schedule, if a setting switches it on. What does not fit into a run is left to the next.
 */
export const REPAIR_EVENT: OperationEvent = {
  operation: 'gaps',
  input: { repair: true, over: '3d', requests: 300 },
  sliceMs: 80_000,
};

export type GapsInput = z.infer<typeof inputSchema>;

/** One entry of the ledger; times are ISO 8601 UTC. */
export interface GapEntry extends Omit<LedgerEntry, 'fromMs' | 'toMs'> {
  /** `exchange:category:symbol` */
  series: string;
  from: string;
  to: string;
  hours: number;
}

/** What one slice found and filled. */
export interface GapsOutput extends Repaired {
  /** Series that were looked at. */
  series: number;
  /** Their hours in each state. */
  present: number;
  partial: number;
  exchangeDown: number;
  notListed: number;
  missing: number;
  entries: GapEntry[];
  /** Hours that exchanges' candles may still fill. */
  repairable: number;
  /** Undoes the repair. */
  run?: string;
}

interface GapsCursor {
  /** The last series that is done; null if all are. */
  after: Series | null | undefined;
  seen: number;
  total: number;
  requests: number;
  skipped: string[];
  run: string;
}

/** In one slice: a Lambda can return 6 MB. */
const MOST_ENTRIES = 5_000;

/**
 * The completeness ledger: lists, series by series, the hours that are partial or have no data, and why. Asks
 * exchanges for their own candles of these hours, if asked to. Their answers, and what they do not have, are
 * kept in the lake, so that the next run does not ask again.
 */
export const gaps: Operation<GapsInput, GapsOutput> = {
  name: 'gaps',
  input: inputSchema,
  async slice(input, cursor, services, budget) {
    const state = (cursor as GapsCursor | undefined) ?? (await begin(input, services, budget.deadlineMs));
    const output = emptyOutput(input.repair ? state.run : undefined);
    const work: Work = { input, state, output, services, deadlineMs: budget.deadlineMs };
    if (!input.repair) return walk(work, () => services.now() < budget.deadlineMs);
    const busy = answerOf(work, false);
    return summarySlice('gaps', cursor, services, budget, busy, async ({ store }, hasTime) => {
      const slice = await walk(work, hasTime, store);
      if (state.after !== null) return slice;
      const again = await remakeMoves(services.summaries, store, hasTime);
      output.moves += again.moves;
      return answerOf(work, again.done);
    });
  },
};

interface Work {
  input: GapsInput;
  state: GapsCursor;
  output: GapsOutput;
  services: OperationServices;
  deadlineMs: number;
}

async function begin(input: GapsInput, services: OperationServices, deadlineMs: number): Promise<GapsCursor> {
  await bringNews(services, deadlineMs);
  const total = await services.completeness.countSeries(input);
  const run = `${REPAIR_RUN}${runTime(services.now())}`;
  return { after: undefined, seen: 0, total, requests: input.requests, skipped: [], run };
}

/** The series that are left, as time allows. */
async function walk(work: Work, hasTime: () => boolean, store?: SummaryStore): Promise<Slice<GapsOutput>> {
  const { input, state, output, services } = work;
  if (state.after === null) return answerOf(work, true);
  const window = await windowOf(input, services);
  const ledgers = new SeriesLedgers(services);
  const limits = { requests: state.requests, hasTime, deadlineMs: work.deadlineMs };
  const skipped = new Set(state.skipped);
  const given = { run: state.run, baseUrl: input.baseUrl, limits, skipped, output };
  const repair = store && new Repair(services, { store, ...given });
  const isFull = () => output.entries.length >= MOST_ENTRIES;
  try {
    for await (const page of services.completeness.series(input, state.after)) {
      const inWindow = { fromMs: window.fromMs ?? ALL_TIME.fromMs, toMs: window.toMs };
      const recorded = await services.completeness.recorded(page, inWindow);
      const known = new Map(recorded.map((each) => [formatSeries(each.series), each]));
      for (const series of page) {
        // At least one, or a short slice would never get anywhere.
        if (output.series > 0 && (!hasTime() || isFull())) return answerOf(work, false);
        const ofSeries = known.get(formatSeries(series));
        const all = (around: Window) => services.completeness.candles(series, around);
        let ledger = await ledgers.of(series, ofSeries, window, input.all ? all : undefined);
        const end = await repair?.series(series, ledger);
        // Its rest is for the next slice, which begins with it again.
        if (end === 'limited' && limits.requests > 0) return answerOf(work, false);
        if (store && repairableWindows(ledger.entries).length > 0) {
          ledger = await ledgers.of(series, ofSeries, window, (around) => store.candlesOf(series, around));
        }
        add(output, series, ledger.entries, input, services);
        state.after = series;
        state.seen += 1;
      }
    }
    state.after = null;
    return answerOf(work, true);
  } finally {
    state.requests = limits.requests;
    state.skipped = [...skipped];
  }
}

/** Closed and summarised hours; the others may still get their candles. */
async function windowOf(
  { from, to, over }: GapsInput,
  { completeness, now }: OperationServices,
): Promise<{ fromMs: number | undefined; toMs: number }> {
  const closedMs = Math.min(
    hourOf(now()),
    (await completeness.summarisedUntil()) ?? Number.POSITIVE_INFINITY,
  );
  const toMs = to === undefined ? closedMs : Math.min(closedMs, hourOf(Date.parse(to)));
  if (over !== undefined) return { fromMs: hourOf(toMs - parseDuration(over)), toMs };
  return { fromMs: from === undefined ? undefined : hourOf(Date.parse(from)), toMs };
}

function add(
  output: GapsOutput,
  series: Series,
  entries: readonly LedgerEntry[],
  { all, baseUrl }: Pick<GapsInput, 'all' | 'baseUrl'>,
  { exchangeCandles }: Pick<OperationServices, 'exchangeCandles'>,
): void {
  output.series += 1;
  const hours = hoursByState(entries);
  output.present += hours.present;
  output.partial += hours.partial;
  output.exchangeDown += hours['exchange down'];
  output.notListed += hours['not listed'];
  output.missing += hours.missing;
  if (exchangeCandles.whyNone(series.exchange, series.category, baseUrl) === undefined) {
    for (const { fromMs, toMs } of repairableWindows(entries)) output.repairable += (toMs - fromMs) / HOUR_MS;
  }
  for (const { fromMs, toMs, ...entry } of entries) {
    if (!all && (entry.state === 'present' || entry.state === 'not listed')) continue;
    output.entries.push({
      series: formatSeries(series),
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
      hours: (toMs - fromMs) / HOUR_MS,
      ...entry,
    });
  }
}

function answerOf({ state, output }: Work, done: boolean): Slice<GapsOutput> {
  const { seen, total } = state;
  return {
    ...(done ? {} : { cursor: state }),
    progress: { done: seen, total: Math.max(seen, total), unit: 'series' },
    output,
  };
}

function emptyOutput(run: string | undefined): GapsOutput {
  const hours = { present: 0, partial: 0, exchangeDown: 0, notListed: 0, missing: 0 };
  const repaired = { requests: 0, candles: 0, moves: 0, unavailable: 0, problems: [] };
  return {
    series: 0,
    ...hours,
    entries: [],
    repairable: 0,
    ...repaired,
    ...(run === undefined ? {} : { run }),
  };
}

/** `20260131-140000` */
function runTime(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
}

function isDuration(text: string): boolean {
  try {
    return parseDuration(text) > 0;
  } catch {
    return false;
  }
}
