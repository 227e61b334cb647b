import { isUtf8 } from 'node:buffer';
import type { FailureLake } from '../completeness/failures.ts';
import type { BatchAddress } from '../lake/ticker-objects.ts';
import { type Category, formatSeries } from '../market/series.ts';
import { type RejectedPayload, TICKER_VERSION } from '../market/ticker.ts';
import type { PollBudget } from '../runtime/budgets.ts';
import { countBatches, type DrainDependencies, drain } from './drain.ts';
import type { ListingWatch } from './listings.ts';
import { latestMs, type Outbox, type OutboxProblems, openOutbox, outboxOf } from './outbox.ts';
import type { CategoryOutcome, StreamRecord, TickerBatch, TickerLake, TickerSource } from './ports.ts';
import { type CategoryReport, PollFailedError, type PollReport } from './report.ts';
import { WrongPayloadError } from './source-errors.ts';

export interface PollDependencies extends DrainDependencies {
  source: TickerSource;
  /**
   * Fetches from the exchange without waiting to learn whether the lake already has the slot. If it has, the lake's
   * batch wins. @default false
   */
  fetchBeforeLakeCheck?: boolean;
  /**
   * How long the index keeps ticks. Older ones are not produced, so that no deleted index is created again.
   * @default forever
   */
  retentionMs?: number;
  /** Records which markets appeared and ended. @default not recorded */
  listings?: Pick<ListingWatch, 'notice'>;
  /**
   * Records that the exchange gave no prices, so that its outages can be told apart from ours. @default not
   * recorded
   */
  failures?: FailureLake;
  /** Receives the report as it grows, even if the poll throws later. */
  onProgress?: (soFar: PollReport) => void;
}

/**
 * One poll: fetch → lake → stream → outbox marker, in this order, so that a crash at any point loses nothing.
 *
 * The lake is the outbox. Whatever it has that the stream has not acknowledged (this slot's batch, and what an outage or
 * a crash left behind) is produced: this slot first, then the backlog in the order of the slots, even while the exchange
 * is down. A category whose slot is at or before its latest acknowledged one is not fetched; its batch in the lake is
 * produced again, which deterministic ids make harmless.
 *
 * @param slot ISO 8601 UTC with milliseconds
 * @throws PollFailedError when no category could be polled; the lake's and the stream's own errors
 */
export async function poll(
  slot: string,
  budget: PollBudget,
  dependencies: PollDependencies,
): Promise<PollReport> {
  const { source, lake, log, fetchBeforeLakeCheck = false, onProgress } = dependencies;
  const { name, exchange } = source;
  const slotMs = Date.parse(slot);
  const counts = { lakeBytes: 0, produced: 0, backlogBatches: 0, waitingBatches: 0 };
  let report: PollReport = { source: name, exchange, slot, categories: [], ...counts };
  const update = (news: Partial<PollReport>) => {
    report = { ...report, ...news };
    onProgress?.(report);
  };
  const fetch = (categories: readonly Category[]) =>
    categories.length > 0 ? source.fetch(categories, { slot, deadlineMs: budget.fetchDeadlineMs }) : [];
  const [{ outboxes, problems }, early] = await allSettled([
    openOutboxes(slotMs, budget.deadlineMs, dependencies),
    fetchBeforeLakeCheck ? fetch(source.categories) : undefined,
  ]);
  update({ waitingBatches: countBatches(outboxes), ...present(problems) });

  const due = source.categories.filter((category) => !outboxOf(outboxes, category).waiting.has(slotMs));
  const outcomes = (early ?? (await fetch(due))).filter(({ category }) => due.includes(category));
  const fresh = new Map<Category, StreamRecord[]>();
  const categories = await allSettled(
    outboxes.map(async (outbox): Promise<CategoryReport> => {
      const { category } = outbox.market;
      const outcome = outcomes.find((candidate) => candidate.category === category);
      if (!outcome) {
        const status = slotMs <= latestMs(outbox.marker) ? 'acknowledged' : 'alreadyInLake';
        return { category, status, fetched: 0, rejected: 0 };
      }
      const address = { ...outbox.market, slotMs };
      const stored = await store(address, outcome, outbox.marker.tickers, lake, budget.deadlineMs);
      const { status, error, suspicious } = stored.report;
      if (stored.records) fresh.set(category, stored.records);
      if (status !== 'failed') outbox.waiting.add(slotMs);
      if (stored.bytes > 0) update({ lakeBytes: report.lakeBytes + stored.bytes });
      if (error) log.error(`Category not polled: ${error.message}`, { source: name, slot });
      await keepFailure(address, stored.report, budget.deadlineMs, dependencies);
      if (suspicious) log.warn(`Suspicious answer: ${suspicious}`, { source: name, slot, category });
      else if (status === 'polled' && 'batch' in outcome) {
        await noticeListings(
          address,
          outcome.batch,
          latestMs(outbox.marker),
          budget.deadlineMs,
          dependencies,
        );
      }
      return stored.report;
    }),
  );
  update({ categories, waitingBatches: countBatches(outboxes) });

  await drain(outboxes, { slotMs, records: fresh }, budget, dependencies, ({ unreadable, ...soFar }) =>
    update({ ...soFar, ...present({ unreadable: [...problems.unreadable, ...unreadable] }) }),
  );
  if (categories.every(({ status }) => status === 'failed')) {
    throw new PollFailedError(
      report,
      outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : [])),
    );
  }
  return report;
}

/** The outbox of each category, with this slot among the waiting ones if the lake already has it. */
async function openOutboxes(
  slotMs: number,
  deadlineMs: number,
  dependencies: PollDependencies,
): Promise<{ outboxes: Outbox[]; problems: OutboxProblems }> {
  const { source, retentionMs = Number.POSITIVE_INFINITY } = dependencies;
  const problems: OutboxProblems = { unreadable: [], leftToReplay: [] };
  const outboxes = await allSettled(
    source.categories.map(async (category) => {
      const market = { exchange: source.exchange, category };
      const outbox = await openOutbox(market, slotMs, deadlineMs, { ...dependencies, retentionMs }, problems);
      if (slotMs <= latestMs(outbox.marker)) outbox.waiting.add(slotMs);
      return outbox;
    }),
  );
  return { outboxes, problems };
}

/** The lists that are not empty. */
function present<T extends Partial<OutboxProblems>>(lists: T): Partial<T> {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)) as Partial<T>;
}

/**
 * Like `Promise.all`, but rejects only once nothing is running any more. Otherwise a batch could reach the lake after
 * the next poll has listed it and moved the marker past its slot, and would never be produced.
 */
async function allSettled<T extends readonly unknown[]>(work: T) {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** Prices matter more: an error here does not fail the poll. */
async function noticeListings(
  address: BatchAddress,
  batch: TickerBatch,
  previousSlotMs: number,
  deadlineMs: number,
  { listings, log }: PollDependencies,
): Promise<void> {
  try {
    const noticed = (await listings?.notice(address, batch, previousSlotMs, deadlineMs)) ?? [];
    if (noticed.length > 0)
      log.info('Markets appeared or ended', { listings: noticed.slice(0, 20), count: noticed.length });
  } catch (error) {
    log.warn('Markets that appeared or ended could not be recorded', { error: error as Error });
  }
}

/** Like {@link noticeListings}, an error here does not fail the poll. */
async function keepFailure(
  address: BatchAddress,
  { status, fetched, error, suspicious }: CategoryReport,
  deadlineMs: number,
  { failures, log }: PollDependencies,
): Promise<void> {
  const isEmpty = status === 'polled' && fetched === 0;
  const failure = error ?? (isEmpty ? { name: 'NoTickers', message: suspicious ?? '' } : undefined);
  if (!failures || !failure) return;
  try {
    await failures.putFailure(address, failure, deadlineMs);
  } catch (error) {
    log.warn('The failure of the exchange could not be recorded', { error: error as Error });
  }
}

/** Writes a category's outcome to the lake: first what was rejected, then the batch. */
async function store(
  address: BatchAddress,
  outcome: CategoryOutcome,
  previousTickers: number | undefined,
  lake: TickerLake,
  deadlineMs: number,
): Promise<{ report: CategoryReport; bytes: number; records?: StreamRecord[] }> {
  const { category } = address;
  const receivedAtMs = Date.parse(outcome.receivedAt);
  if ('error' in outcome) {
    const { error, receivedAt } = outcome;
    if (error instanceof WrongPayloadError) {
      const payload = rejectedPayload(address, receivedAt, error);
      await lake.putRejected(address, receivedAtMs, [payload], deadlineMs);
    }
    const { name, message } = error;
    const report = { category, status: 'failed', fetched: 0, rejected: 0, error: { name, message } } as const;
    return { report, bytes: 0 };
  }
  const { tickers, rejected, expected, absent } = outcome.batch;
  if (rejected.length > 0) await lake.putRejected(address, receivedAtMs, rejected, deadlineMs);
  const records = tickers.map((ticker) => ({ key: formatSeries(ticker), value: JSON.stringify(ticker) }));
  const counts = {
    category,
    fetched: tickers.length,
    rejected: rejected.length,
    ...(expected === undefined ? {} : { expected }),
    ...(absent === undefined ? {} : { absent: absent.length }),
  };
  // An empty batch is not stored.
  const lines = records.map(({ value }) => value);
  const stored = lines.length === 0 ? { bytes: 0 } : await lake.putTickers(address, lines, deadlineMs);
  if (stored === 'alreadyThere') return { report: { ...counts, status: 'alreadyInLake' }, bytes: 0 };
  const suspicious = suspicion(outcome.batch, previousTickers);
  const report = { ...counts, status: 'polled', ...(suspicious ? { suspicious } : {}) } as const;
  return { report, bytes: stored.bytes, records };
}

function suspicion(
  { tickers, rejected, expected, absent = [], warning }: TickerBatch,
  previously?: number,
): string | undefined {
  if (warning !== undefined) return warning;
  const count = tickers.length;
  if (count === 0) {
    if (rejected.length > 0) return `all ${rejected.length} tickers were rejected`;
    return absent.length > 0
      ? `none of the exchange's ${absent.length} markets is live`
      : 'the exchange returned an empty list';
  }
  if (expected !== undefined && count * 2 < expected) {
    return `${count} tickers, less than half of the ${expected} expected`;
  }
  if (previously !== undefined && count * 2 < previously) {
    return `${count} tickers, less than half of the previous poll's ${previously}`;
  }
  return undefined;
}

function rejectedPayload(
  { exchange, category, slotMs }: BatchAddress,
  receivedAt: string,
  { body, url, message }: WrongPayloadError,
): RejectedPayload {
  const bytes = Buffer.from(body);
  return {
    v: TICKER_VERSION,
    exchange,
    category,
    url,
    slot: new Date(slotMs).toISOString(),
    received_at: receivedAt,
    reason: message,
    ...(isUtf8(bytes) ? { body: bytes.toString('utf8') } : { body_base64: bytes.toString('base64') }),
  };
}
