import type { MetricValues } from '../runtime/metrics.ts';
import type { PollReport } from './report.ts';

/** A poll that has ended. Times are epoch ms. */
export interface EndedPoll {
  /** What the poll did, even if it threw later; undefined if it threw before it had anything to report. */
  report: PollReport | undefined;
  threw: boolean;
  /** How many categories the source has. */
  categories: number;
  slotMs: number;
  begunMs: number;
  endedMs: number;
}

/** Scheduler's precision. */
const ON_TIME_MS = 60_000;

/** A poll's metrics. If it threw, they count what it had done until then. */
export function pollMetrics(poll: EndedPoll): MetricValues<'ingest'> {
  const { report, threw, slotMs, begunMs, endedMs } = poll;
  const categories = report?.categories ?? [];
  const sum = (of: (category: (typeof categories)[number]) => number) =>
    categories.reduce((all, each) => all + of(each), 0);
  const fetched = sum((each) => each.fetched);
  const rejected = sum((each) => each.rejected);
  const failed =
    threw && categories.length === 0 ? poll.categories : sum(({ status }) => (status === 'failed' ? 1 : 0));
  const waiting = report?.waitingBatches ?? 0;
  return {
    PollsSucceeded: !threw && failed === 0 && waiting === 0 ? 1 : 0,
    PollsFailed: threw ? 1 : 0,
    CategoriesFailed: failed,
    SuspiciousAnswers: sum(({ suspicious }) => (suspicious === undefined ? 0 : 1)),
    TickersFetched: fetched,
    TickersRejected: rejected,
    RejectedShare: fetched + rejected === 0 ? undefined : (100 * rejected) / (fetched + rejected),
    LakeBytes: report?.lakeBytes ?? 0,
    RecordsProduced: report?.produced ?? 0,
    BatchesWaiting: waiting,
    UnreadableInLake: report?.unreadable?.length ?? 0,
    PollDuration: endedMs - begunMs,
    SlotDelay: begunMs - slotMs > ON_TIME_MS ? begunMs - slotMs : undefined,
  };
}
