import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { UnreadableObjectError } from '../lake/ndjson.ts';
import { type BatchAddress, tickersKey } from '../lake/ticker-objects.ts';
import { type Category, formatSeries } from '../market/series.ts';
import { parseTicker, type Rejected, TICKER_VERSION } from '../market/ticker.ts';
import type { Log } from '../runtime/log.ts';
import type {
  CategoryOutcome,
  OutboxMarker,
  StreamRecord,
  TickerLake,
  TickerSource,
  TickerStream,
} from './ports.ts';
import { type SourceError, WrongPayloadError } from './source-errors.ts';

/** What one category came to in one poll. */
export interface CategoryReport {
  category: Category;
  /**
   * `polled`: fetched and stored; `alreadyInLake`: an earlier attempt at this slot had stored it;
   * `acknowledged`: an earlier attempt had produced it, too; `failed`: nothing could be stored.
   */
  status: 'polled' | 'alreadyInLake' | 'acknowledged' | 'failed';
  /** Tickers that the exchange sent and that were good. */
  fetched: number;
  rejected: number;
  /** Why the answer is suspicious: empty, or under half of the previous poll's tickers. */
  suspicious?: string;
  error?: { name: string; message: string };
}

/** What one poll did. */
export interface PollReport {
  source: string;
  exchange: string;
  slot: string;
  categories: CategoryReport[];
  /** Bytes of the batches that were put into the lake, compressed. */
  lakeBytes: number;
  /** Records acknowledged by the stream: this slot's and the backlog's. */
  produced: number;
  /** Batches of other slots that had waited in the lake and were produced now. */
  backlogBatches: number;
  /** Batches that still wait in the lake, e.g. because the time ran out; the next poll goes on with them. */
  waitingBatches: number;
  /**
   * What the lake held and could not be read (why, with the key): passed over so that it does not hold up all that
   * follows, kept as it is, told by `verify`. Absent where there was none.
   */
  unreadable?: string[];
}

/** No category of the source could be polled. What waited in the lake was produced all the same. */
export class PollFailedError extends Error {
  override readonly name = 'PollFailedError';
  readonly report: PollReport;
  constructor(report: PollReport, causes: unknown[]) {
    const reasons = report.categories.map(({ category, error }) => `${category}: ${error?.message}`);
    super(`${report.source} could not be polled for slot ${report.slot}. ${reasons.join('; ')}`, {
      cause: new AggregateError(causes),
    });
    this.report = report;
  }
}

export interface PollDependencies {
  source: TickerSource;
  lake: TickerLake;
  stream: TickerStream;
  log: Log;
  /** Epoch ms. */
  now: () => number;
  /**
   * Whether the exchange is asked at once, before the lake has said what it holds of the slot: most likely nothing. What
   * it does hold wins, as ever. @default false
   */
  fetchBeforeLakeCheck?: boolean;
  /** Told how far the poll has come, for who wants to know it also where the poll throws. */
  onProgress?: (soFar: PollReport) => void;
}

/** When a poll has to stop asking the exchange, and when it has to be done. Epoch ms. */
export interface PollBudget {
  fetchDeadlineMs: number;
  deadlineMs: number;
}

/**
 * One poll: fetch → lake → stream → outbox marker, in this order, so that a crash at any point loses nothing.
 *
 * The lake is the outbox. Whatever it holds beyond the marker (this slot's batch, and what an outage or a crash
 * left behind) is produced in the order of the slots, also when the exchange is down. A category whose slot is
 * at or before its marker is not fetched; what the lake holds of it is produced again, which the deterministic
 * ids make harmless.
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
  const slotMs = Date.parse(slot);
  let report: PollReport = {
    source: source.name,
    exchange: source.exchange,
    slot,
    categories: [],
    lakeBytes: 0,
    produced: 0,
    backlogBatches: 0,
    waitingBatches: 0,
  };
  const tell = (news: Partial<PollReport>) => {
    report = { ...report, ...news };
    onProgress?.(report);
  };
  const fetch = (categories: readonly Category[]) =>
    categories.length > 0 ? source.fetch(categories, { slot, deadlineMs: budget.fetchDeadlineMs }) : [];
  const [{ marker, waiting }, early] = await allWhenSettled([
    whatTheLakeHolds(slotMs, dependencies),
    fetchBeforeLakeCheck ? fetch(source.categories) : undefined,
  ]);
  tell({ waitingBatches: batchesIn(waiting) });

  const due = source.categories.filter((category) => !waiting.get(category)?.has(slotMs));
  const asked = early ?? (await fetch(due));
  const outcomes = asked.filter(({ category }) => due.includes(category));
  const fresh = new Map<Category, StreamRecord[]>();
  const categories = await allWhenSettled(
    source.categories.map(async (category): Promise<CategoryReport> => {
      const outcome = outcomes.find((candidate) => candidate.category === category);
      if (!outcome) {
        const acknowledged = slotMs <= acknowledgedUntilMs(marker, category);
        const status = acknowledged ? 'acknowledged' : 'alreadyInLake';
        return { category, status, fetched: 0, rejected: 0 };
      }
      const address = { exchange: source.exchange, category, slotMs };
      const stored = await store(address, outcome, marker, lake);
      const { status, error, suspicious } = stored.report;
      if (stored.records) fresh.set(category, stored.records);
      if (status !== 'failed') waiting.get(category)?.add(slotMs);
      if (stored.bytes > 0) tell({ lakeBytes: report.lakeBytes + stored.bytes });
      if (error) log.error(`Category not polled: ${error.message}`, { source: source.name, slot });
      if (suspicious) log.warn(`Suspicious answer: ${suspicious}`, { source: source.name, slot, category });
      return stored.report;
    }),
  );
  tell({ categories, waitingBatches: batchesIn(waiting) });

  await drain(waiting, { slotMs, records: fresh }, marker, budget.deadlineMs, dependencies, tell);
  if (categories.every(({ status }) => status === 'failed')) {
    throw new PollFailedError(
      report,
      outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : [])),
    );
  }
  return report;
}

function acknowledgedUntilMs(marker: OutboxMarker, category: Category): number {
  const slot = marker.acknowledged[category]?.slot;
  return slot === undefined ? 0 : Date.parse(slot);
}

/** The marker, and the slots of each category that have to be produced: this one, too, where the lake holds it already. */
async function whatTheLakeHolds(
  slotMs: number,
  { source, lake }: PollDependencies,
): Promise<{ marker: OutboxMarker; waiting: Map<Category, Set<number>> }> {
  const marker = await lake.readOutbox(source.name);
  const entries = source.categories.map(async (category): Promise<[Category, Set<number>]> => {
    const acknowledgedMs = acknowledgedUntilMs(marker, category);
    const beyond = await lake.slotsAfter(source.exchange, category, acknowledgedMs);
    return [category, new Set(slotMs <= acknowledgedMs ? [slotMs, ...beyond] : beyond)];
  });
  return { marker, waiting: new Map(await Promise.all(entries)) };
}

function batchesIn(waiting: ReadonlyMap<Category, ReadonlySet<number>>): number {
  return [...waiting.values()].reduce((sum, slots) => sum + slots.size, 0);
}

/**
 * As `Promise.all`, but rejects only when nothing is under way any more: a batch that reached the lake after the next
 * poll has looked there, and has moved the marker beyond its slot, would never be produced.
 */
async function allWhenSettled<T extends readonly unknown[]>(work: T) {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** Writes what one category answered: first what was rejected, then the batch. */
async function store(
  address: BatchAddress,
  outcome: CategoryOutcome,
  marker: OutboxMarker,
  lake: TickerLake,
): Promise<{ report: CategoryReport; bytes: number; records?: StreamRecord[] }> {
  const { category } = address;
  const receivedAtMs = Date.parse(outcome.receivedAt);
  if ('error' in outcome) {
    const kept = rejectedPayload(address, outcome.receivedAt, outcome.error);
    if (kept) await lake.putRejected(address, receivedAtMs, [kept]);
    const { name, message } = outcome.error;
    const report = { category, status: 'failed', fetched: 0, rejected: 0, error: { name, message } } as const;
    return { report, bytes: 0 };
  }
  const { tickers, rejected } = outcome.batch;
  if (rejected.length > 0) await lake.putRejected(address, receivedAtMs, rejected);
  const records = tickers.map((ticker) => ({ key: formatSeries(ticker), value: JSON.stringify(ticker) }));
  const counts = { category, fetched: tickers.length, rejected: rejected.length };
  const suspicious = suspicion(tickers.length, rejected.length, marker.acknowledged[category]?.tickers);
  // The lake holds no empty batches.
  const stored =
    records.length === 0
      ? { bytes: 0 }
      : await lake.putTickers(
          address,
          records.map(({ value }) => value),
        );
  if (stored === 'alreadyThere') return { report: { ...counts, status: 'alreadyInLake' }, bytes: 0 };
  return {
    report: { ...counts, status: 'polled', ...(suspicious ? { suspicious } : {}) },
    bytes: stored.bytes,
    records,
  };
}

function suspicion(tickers: number, rejected: number, previously: number | undefined): string | undefined {
  if (tickers === 0) {
    return rejected === 0 ? 'the exchange answered an empty list' : `all ${rejected} tickers were rejected`;
  }
  if (previously !== undefined && tickers * 2 < previously) {
    return `${tickers} tickers, under half of the previous poll's ${previously}`;
  }
  return undefined;
}

function rejectedPayload(
  address: BatchAddress,
  receivedAt: string,
  error: SourceError,
): Rejected | undefined {
  if (!(error instanceof WrongPayloadError)) return undefined;
  const body = Buffer.from(error.body);
  return {
    v: TICKER_VERSION,
    exchange: address.exchange,
    category: address.category,
    url: error.url,
    slot: new Date(address.slotMs).toISOString(),
    received_at: receivedAt,
    reason: error.message,
    ...(isUtf8(body) ? { body: body.toString('utf8') } : { body_base64: body.toString('base64') }),
  };
}

/**
 * Produces what waits, slot by slot, and moves the marker as far as everything is acknowledged. Begins no
 * further slot after the deadline. Tells what it has done after each slot.
 */
async function drain(
  waiting: ReadonlyMap<Category, ReadonlySet<number>>,
  fresh: { slotMs: number; records: ReadonlyMap<Category, StreamRecord[]> },
  marker: OutboxMarker,
  deadlineMs: number,
  { source, lake, stream, log, now }: PollDependencies,
  tell: (done: Pick<PollReport, 'produced' | 'backlogBatches' | 'waitingBatches' | 'unreadable'>) => void,
): Promise<void> {
  const counts = { produced: 0, backlogBatches: 0, waitingBatches: batchesIn(waiting) };
  const unreadable: string[] = [];
  const moved = structuredClone(marker);
  const slots = [...new Set([...waiting.values()].flatMap((each) => [...each]))].sort((a, b) => a - b);
  try {
    for (const slotMs of slots) {
      const categories = [...waiting.keys()].filter((category) => waiting.get(category)?.has(slotMs));
      if (now() >= deadlineMs) break;
      const batches = await Promise.all(
        categories.map(async (category) => {
          const own = slotMs === fresh.slotMs ? fresh.records.get(category) : undefined;
          if (own) return own;
          const address = { exchange: source.exchange, category, slotMs };
          const { records, problems } = await readBatch(address, lake);
          for (const problem of problems) log.error('The lake holds what cannot be produced', { problem });
          unreadable.push(...problems);
          return records;
        }),
      );
      await stream.produce(batches.flat(), deadlineMs);
      for (const [index, category] of categories.entries()) {
        const tickers = batches[index]?.length ?? 0;
        counts.produced += tickers;
        if (slotMs !== fresh.slotMs) counts.backlogBatches += 1;
        if (slotMs > acknowledgedUntilMs(moved, category)) {
          moved.acknowledged[category] = { slot: new Date(slotMs).toISOString(), tickers };
        }
      }
      counts.waitingBatches -= categories.length;
      tell({ ...counts, ...(unreadable.length > 0 ? { unreadable } : {}) });
    }
  } finally {
    // What was acknowledged before a failure need not be produced again.
    if (!isDeepStrictEqual(moved, marker)) await lake.writeOutbox(source.name, moved);
  }
  if (counts.backlogBatches > 0 || counts.waitingBatches > 0) {
    log.warn('The lake held batches that the stream had not acknowledged', {
      source: source.name,
      ...counts,
    });
  }
}

/** A batch as the stream takes it, and what of it cannot be read, now or ever. */
async function readBatch(
  address: BatchAddress,
  lake: TickerLake,
): Promise<{ records: StreamRecord[]; problems: string[] }> {
  const records: StreamRecord[] = [];
  const problems: string[] = [];
  try {
    for (const [index, value] of ((await lake.readTickers(address)) ?? []).entries()) {
      const parsed = parseTicker(value);
      if ('ticker' in parsed) records.push({ key: formatSeries(parsed.ticker), value });
      else problems.push(`${tickersKey(address)}, line ${index + 1}: ${parsed.reason}`);
    }
  } catch (error) {
    if (!(error instanceof UnreadableObjectError)) throw error;
    problems.push(error.message);
  }
  return { records, problems };
}
