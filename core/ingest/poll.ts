import { isUtf8 } from 'node:buffer';
import type { BatchAddress } from '../lake/ticker-objects.ts';
import { type Category, formatSeries } from '../market/series.ts';
import { type RejectedPayload, TICKER_VERSION } from '../market/ticker.ts';
import type { PollBudget } from '../runtime/budgets.ts';
import { acknowledgedUntilMs, countBatches, type DrainDependencies, drain } from './drain.ts';
import type { CategoryOutcome, OutboxMarker, StreamRecord, TickerLake, TickerSource } from './ports.ts';
import { type CategoryReport, PollFailedError, type PollReport } from './report.ts';
import { WrongPayloadError } from './source-errors.ts';

export interface PollDependencies extends DrainDependencies {
  source: TickerSource;
  /**
   * Fetches from the exchange without waiting to learn whether the lake already has the slot. If it has, the lake's
   * batch wins. @default false
   */
  fetchBeforeLakeCheck?: boolean;
  /** Receives the report as it grows, even if the poll throws later. */
  onProgress?: (soFar: PollReport) => void;
}

/**
 * One poll: fetch → lake → stream → outbox marker, in this order, so that a crash at any point loses nothing.
 *
 * The lake is the outbox. Whatever it has beyond the marker (this slot's batch, and what an outage or a crash left
 * behind) is produced in the order of the slots, even while the exchange is down. A category whose slot is at or
 * before its marker is not fetched; its batch in the lake is produced again, which deterministic ids make harmless.
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
  const [{ marker, waiting }, early] = await allSettled([
    readOutbox(slotMs, dependencies),
    fetchBeforeLakeCheck ? fetch(source.categories) : undefined,
  ]);
  update({ waitingBatches: countBatches(waiting) });

  const due = source.categories.filter((category) => !waiting.get(category)?.has(slotMs));
  const outcomes = (early ?? (await fetch(due))).filter(({ category }) => due.includes(category));
  const fresh = new Map<Category, StreamRecord[]>();
  const categories = await allSettled(
    source.categories.map(async (category): Promise<CategoryReport> => {
      const outcome = outcomes.find((candidate) => candidate.category === category);
      if (!outcome) {
        const acknowledged = slotMs <= acknowledgedUntilMs(marker, category);
        const status = acknowledged ? 'acknowledged' : 'alreadyInLake';
        return { category, status, fetched: 0, rejected: 0 };
      }
      const stored = await store({ exchange, category, slotMs }, outcome, marker, lake);
      const { status, error, suspicious } = stored.report;
      if (stored.records) fresh.set(category, stored.records);
      if (status !== 'failed') waiting.get(category)?.add(slotMs);
      if (stored.bytes > 0) update({ lakeBytes: report.lakeBytes + stored.bytes });
      if (error) log.error(`Category not polled: ${error.message}`, { source: name, slot });
      if (suspicious) log.warn(`Suspicious answer: ${suspicious}`, { source: name, slot, category });
      return stored.report;
    }),
  );
  update({ categories, waitingBatches: countBatches(waiting) });

  await drain(waiting, { slotMs, records: fresh }, marker, budget.deadlineMs, dependencies, update);
  if (categories.every(({ status }) => status === 'failed')) {
    throw new PollFailedError(
      report,
      outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : [])),
    );
  }
  return report;
}

/** The marker, and the slots of each category to produce, including this one if the lake already has it. */
async function readOutbox(
  slotMs: number,
  { source, lake }: Pick<PollDependencies, 'source' | 'lake'>,
): Promise<{ marker: OutboxMarker; waiting: Map<Category, Set<number>> }> {
  const marker = await lake.readOutbox(source.name);
  const entries = source.categories.map(async (category): Promise<[Category, Set<number>]> => {
    const acknowledgedMs = acknowledgedUntilMs(marker, category);
    const beyond = await lake.slotsAfter(source.exchange, category, acknowledgedMs);
    return [category, new Set(slotMs <= acknowledgedMs ? [slotMs, ...beyond] : beyond)];
  });
  return { marker, waiting: new Map(await Promise.all(entries)) };
}

/**
 * Like `Promise.all`, but rejects only once nothing is running any more. Otherwise a batch could reach the lake after
 * the next poll has listed it and moved the marker past its slot, and would never be produced.
 */
async function allSettled<T extends readonly unknown[]>(work: T) {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** Writes a category's outcome to the lake: first what was rejected, then the batch. */
async function store(
  address: BatchAddress,
  outcome: CategoryOutcome,
  marker: OutboxMarker,
  lake: TickerLake,
): Promise<{ report: CategoryReport; bytes: number; records?: StreamRecord[] }> {
  const { category } = address;
  const receivedAtMs = Date.parse(outcome.receivedAt);
  if ('error' in outcome) {
    const { error, receivedAt } = outcome;
    if (error instanceof WrongPayloadError) {
      await lake.putRejected(address, receivedAtMs, [rejectedPayload(address, receivedAt, error)]);
    }
    const { name, message } = error;
    const report = { category, status: 'failed', fetched: 0, rejected: 0, error: { name, message } } as const;
    return { report, bytes: 0 };
  }
  const { tickers, rejected } = outcome.batch;
  if (rejected.length > 0) await lake.putRejected(address, receivedAtMs, rejected);
  const records = tickers.map((ticker) => ({ key: formatSeries(ticker), value: JSON.stringify(ticker) }));
  const counts = { category, fetched: tickers.length, rejected: rejected.length };
  // An empty batch is not stored.
  const lines = records.map(({ value }) => value);
  const stored = lines.length === 0 ? { bytes: 0 } : await lake.putTickers(address, lines);
  if (stored === 'alreadyThere') return { report: { ...counts, status: 'alreadyInLake' }, bytes: 0 };
  const suspicious = suspicion(tickers.length, rejected.length, marker.acknowledged[category]?.tickers);
  const report = { ...counts, status: 'polled', ...(suspicious ? { suspicious } : {}) } as const;
  return { report, bytes: stored.bytes, records };
}

function suspicion(tickers: number, rejected: number, previously: number | undefined): string | undefined {
  if (tickers === 0) {
    return rejected === 0 ? 'the exchange answered an empty list' : `all ${rejected} tickers were rejected`;
  }
  if (previously !== undefined && tickers * 2 < previously) {
    return `${tickers} tickers, less than half of the previous poll's ${previously}`;
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
