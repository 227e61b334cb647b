import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { OpenSearchTickerIds } from '../../stores/opensearch/ticker-ids.ts';
import type { S3Lake } from '../../stores/s3/lake.ts';
import { type TickerIdentity, tickerId } from '../market/ticker.ts';
import { type Difference, HourTally, type TallyState } from './hour-tally.ts';
import {
  beginWalk,
  extentOf,
  marketsOf,
  moveOn,
  progressOf,
  restOf,
  type Stretch,
  type Walk,
  walkBatches,
} from './lake-walk.ts';
import type { Operation, OperationServices, Slice } from './operation.ts';
import { rangeMs, timeRange } from './time-range.ts';

const inputSchema = z.strictObject({
  ...timeRange,
  /** How long what is on its way from the lake to the index is waited for, in all. @default 12,000 */
  patienceMs: z.number().nonnegative().optional(),
});

/** What one slice compared. */
export interface VerifyOutput {
  /** Different ids that the lake holds. */
  lakeIds: number;
  /** Documents that the index holds. */
  documents: number;
  /** Series and hours that were compared to their end. */
  seriesHours: number;
  differences: Difference[];
  /** What of the lake cannot be compared: objects that cannot be read, lines that are no tickers. */
  problems: string[];
}

interface VerifyCursor extends Walk {
  tally: TallyState;
  patienceMs: number;
}

/** Ids that are compared at once. */
const CHUNK_IDS = 10_000;
/** Documents that are read at once to see which of them differ. */
const MOST_DOCUMENTS = 50_000;
/** Differences of one slice, at most: a Lambda answers 6 MB. */
const MOST_DIFFERENCES = 5_000;
const PATIENCE_MS = 12_000;
/** So long is waited without any arriving. */
const STANDSTILL_MS = 3_000;
const LOOK_EVERY_MS = 500;

/**
 * Compares lake and index: for each series and hour the ids that the lake holds with those of the documents.
 * A chunk of some thousand ids at a time, so the memory does not grow with the data.
 *
 * The range ends at the last slot that either holds at the beginning. So it may run beside a pipeline that goes on
 * polling; tickers that are still on their way are waited for.
 */
export const verify: Operation<z.infer<typeof inputSchema>, VerifyOutput> = {
  name: 'verify',
  input: inputSchema,
  async slice(input, cursor, services, { deadlineMs }): Promise<Slice<VerifyOutput>> {
    const output: VerifyOutput = { lakeIds: 0, documents: 0, seriesHours: 0, differences: [], problems: [] };
    const state = (cursor as VerifyCursor | undefined) ?? (await begin(input, services, output));
    const comparison = new Comparison(services, state, output);
    for (let rest = restOf(state); rest; rest = restOf(state)) {
      if (Date.now() >= deadlineMs || output.differences.length >= MOST_DIFFERENCES) {
        return { cursor: comparison.cursor(), progress: progressOf(state), output };
      }
      await comparison.step(rest);
    }
    return { progress: progressOf(state), output };
  },
};

/** Finds out what there is to compare. */
async function begin(
  { from, to, exchange, patienceMs }: z.infer<typeof inputSchema>,
  { lake, openSearch }: OperationServices,
  output: VerifyOutput,
): Promise<VerifyCursor> {
  const index = new OpenSearchTickerIds(openSearch);
  await index.refresh();
  const range = rangeMs({ from, to });
  const stretches = new Map<string, Stretch>();
  const add = (market: { exchange: string; category: string }, firstMs: number, lastMs: number) => {
    const name = `${market.exchange}:${market.category}`;
    const known = stretches.get(name);
    stretches.set(name, {
      ...(market as Stretch),
      fromMs: Math.max(range.fromMs, Math.min(firstMs, known?.fromMs ?? firstMs)),
      toMs: Math.min(range.toMs, Math.max(lastMs + 1, known?.toMs ?? 0)),
    });
  };
  const inIndex = (await index.markets()).filter((each) => (exchange ?? each.exchange) === each.exchange);
  for (const { exchange, category, firstSlotMs, lastSlotMs } of inIndex) {
    add({ exchange, category }, firstSlotMs, lastSlotMs);
  }
  for (const market of await marketsOf(lake, exchange)) {
    const extent = await extentOf(lake, market);
    if (extent) add(market, extent.firstHourMs, extent.lastSlotMs);
  }
  if (from === undefined && to === undefined && exchange === undefined) {
    const stray = await index.countStray();
    if (stray > 0) output.problems.push(`${stray} documents lack exchange, category, symbol or slot`);
  }
  const worth = [...stretches.values()].filter(({ fromMs, toMs }) => fromMs < toMs);
  return { ...beginWalk(worth), tally: {}, patienceMs: patienceMs ?? PATIENCE_MS };
}

type Ids = Map<string, { symbol: string; slotMs: number }>;

/** What index and lake do not have in common. */
interface Findings {
  ids: Ids;
  documents: number;
  missing: { id: string; symbol: string; slotMs: number }[];
  extra: { id: string; symbol: string; slotMs: number }[];
}

/** The comparison under way; it moves the cursor's state on. */
class Comparison {
  readonly #lake: S3Lake;
  readonly #index: OpenSearchTickerIds;
  readonly #state: VerifyCursor;
  readonly #output: VerifyOutput;
  #tally: HourTally;

  constructor({ lake, openSearch }: OperationServices, state: VerifyCursor, output: VerifyOutput) {
    this.#lake = lake;
    this.#index = new OpenSearchTickerIds(openSearch);
    this.#state = state;
    this.#output = output;
    this.#tally = new HourTally(state.tally);
  }

  cursor(): VerifyCursor {
    return { ...this.#state, tally: this.#tally.state() };
  }

  /** Compares the next chunk. */
  async step(stretch: Stretch): Promise<void> {
    const chunk = await this.#readChunk(stretch);
    const range = { ...stretch, toMs: chunk.untilMs };
    const { ids, documents, missing, extra } =
      (await this.#agreement(range, chunk.ids)) ?? (await this.#disagreement(range, chunk.ids.size));
    for (const { symbol, slotMs } of ids.values()) this.#tally.addLake(symbol, slotMs);
    for (const { id, symbol, slotMs } of missing) this.#tally.addMissing(id, symbol, slotMs);
    for (const { id, symbol, slotMs } of extra) this.#tally.addExtra(id, symbol, slotMs);
    this.#output.lakeIds += ids.size;
    this.#output.documents += documents;
    if (range.toMs >= chunk.untilMs) this.#output.problems.push(...chunk.problems);
    const atEnd = range.toMs >= stretch.toMs;
    const closed = this.#tally.close(atEnd ? Number.POSITIVE_INFINITY : range.toMs, stretch);
    this.#output.seriesHours += closed.seriesHours;
    this.#output.differences.push(...closed.differences);
    moveOn(this.#state, range.toMs);
  }

  /** The ids of the next batches, until they are enough or the stretch ends. */
  async #readChunk(stretch: Stretch): Promise<{ ids: Ids; untilMs: number; problems: string[] }> {
    const ids: Ids = new Map();
    const problems: string[] = [];
    for await (const { key, address, lines, problem } of walkBatches(this.#lake, stretch)) {
      if (problem !== undefined) problems.push(problem);
      for (const [position, line] of lines.entries()) {
        const ticker = identityOf(line);
        const isAtHome =
          ticker?.exchange === stretch.exchange &&
          ticker.category === stretch.category &&
          Date.parse(ticker.slot) === address?.slotMs;
        if (ticker && isAtHome && typeof ticker.symbol === 'string') {
          ids.set(tickerId(ticker), { symbol: ticker.symbol, slotMs: address.slotMs });
        } else {
          problems.push(`${key} line ${position + 1} is no ticker of this batch`);
        }
      }
      if (ids.size >= CHUNK_IDS && address) return { ids, untilMs: address.slotMs + 1, problems };
    }
    return { ids, untilMs: stretch.toMs, problems };
  }

  async #agreement(range: Stretch, ids: Ids): Promise<Findings | undefined> {
    const { total, known } = await this.#index.count(range, [...ids.keys()]);
    const agree = total === ids.size && known === ids.size;
    return agree ? { ids, documents: total, missing: [], extra: [] } : undefined;
  }

  /** Shortens the range until its documents can be held in memory. */
  async #shorten(range: Stretch, ids: number): Promise<void> {
    while (range.toMs - range.fromMs > 1) {
      const { total } = await this.#index.count(range, []);
      if (total <= ids + MOST_DOCUMENTS) return;
      range.toMs = range.fromMs + Math.ceil((range.toMs - range.fromMs) / 2);
    }
  }

  /** What differs in the range, which may be shortened for it; waits for what is on its way. */
  async #disagreement(range: Stretch, expectedIds: number): Promise<Findings> {
    await this.#shorten(range, expectedIds);
    let stillMs = 0;
    for (let before = Number.POSITIVE_INFINITY; ; ) {
      const findings = await this.#findDifferences(range);
      const { length } = findings.missing;
      const arrives = length < before;
      stillMs = arrives ? 0 : stillMs + LOOK_EVERY_MS;
      before = length;
      if (length === 0 || stillMs >= STANDSTILL_MS || this.#state.patienceMs <= 0) return findings;
      this.#state.patienceMs -= LOOK_EVERY_MS;
      await wait(LOOK_EVERY_MS);
      await this.#index.refresh();
    }
  }

  /** First the index, then the lake: what the index holds was in the lake before. */
  async #findDifferences(range: Stretch): Promise<Findings> {
    const documents = [];
    for await (const ticker of this.#index.tickers(range)) documents.push(ticker);
    const { ids } = await this.#readAll(range);
    const missing = new Map(ids);
    // An id that was taken out of `missing` already is there twice.
    const extra = documents.filter(({ id }) => !missing.delete(id));
    return {
      ids,
      documents: documents.length,
      missing: [...missing].map(([id, { symbol, slotMs }]) => ({ id, symbol, slotMs })),
      extra,
    };
  }

  async #readAll(range: Stretch): Promise<{ ids: Ids }> {
    const ids: Ids = new Map();
    for (let fromMs = range.fromMs; fromMs < range.toMs; ) {
      const chunk = await this.#readChunk({ ...range, fromMs });
      for (const [id, place] of chunk.ids) ids.set(id, place);
      fromMs = chunk.untilMs;
    }
    return { ids };
  }
}

function identityOf(line: string): TickerIdentity | undefined {
  try {
    return (JSON.parse(line) as TickerIdentity | null) ?? undefined;
  } catch {
    return undefined;
  }
}
