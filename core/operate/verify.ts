import * as z from 'zod';
import { decodeLine } from '../index/decode.ts';
import { formatSeries } from '../market/series.ts';
import { type Difference, HourTally, type TallyState } from './hour-tally.ts';
import { beginWalk, moveOn, stretchesIn, type Walk, walkBatches, walkSlice } from './lake-walk.ts';
import { addProblems, type Operation, type OperationServices } from './operation.ts';
import type { IndexedTicker, Stretch } from './ports.ts';
import { timeRange } from './time-range.ts';

const inputSchema = z.strictObject({
  ...timeRange,
  /**
   * How long to wait, in all, for tickers on their way from the lake to the index.
   * @default 12,000 and the event source's batching window
   */
  patienceMs: z.number().nonnegative().optional(),
});

/** What one slice compared. */
export interface VerifyOutput {
  /** Distinct ids in the lake. */
  lakeIds: number;
  /** Documents in the index. */
  documents: number;
  /** Hours of series that are completely compared. */
  seriesHours: number;
  differences: Difference[];
  /** What cannot be compared: unreadable objects, lines that are not tickers. */
  problems: string[];
}

interface VerifyCursor extends Walk {
  tally: TallyState;
  patienceMs: number;
  /** While tickers are waited for: how many are missing, and for how long none has arrived. */
  waiting?: { missing: number; stillMs: number };
}

/** Ids compared at once. */
const CHUNK_IDS = 10_000;
/** Documents read at once to find which of them differ. */
const MOST_DOCUMENTS = 50_000;
/** In one slice: a Lambda can return 6 MB. */
const MOST_DIFFERENCES = 5_000;
const PATIENCE_MS = 12_000;
/**
 * How long to wait if none arrives. Not used if the event source collects records before it delivers them.
 */
const STANDSTILL_MS = 3_000;
const LOOK_EVERY_MS = 500;

/**
 * Compares lake and index: for each series and hour, the ids in the lake with those of the documents. It takes a few
 * thousand ids at a time, so its memory does not grow with the data.
 *
 * The range ends at the last slot that either has at the start, and tickers still on their way are waited for. So it
 * may run while the pipeline polls.
 */
export const verify: Operation<z.infer<typeof inputSchema>, VerifyOutput> = {
  name: 'verify',
  input: inputSchema,
  async slice(input, cursor, services, { deadlineMs }) {
    const output: VerifyOutput = { lakeIds: 0, documents: 0, seriesHours: 0, differences: [], problems: [] };
    const state = (cursor as VerifyCursor | undefined) ?? (await begin(input, services, output));
    const hasTime = () => services.now() < deadlineMs && output.differences.length < MOST_DIFFERENCES;
    const comparison = new Comparison(services, state, output, hasTime);
    const slice = await walkSlice(state, output, hasTime, (rest) => comparison.step(rest));
    state.tally = comparison.tally.state();
    return slice;
  },
};

/** Finds out what there is to compare. */
async function begin(
  input: z.infer<typeof inputSchema>,
  { lake, tickerIds, batchingWindowMs }: OperationServices,
  output: VerifyOutput,
): Promise<VerifyCursor> {
  const { from, to, exchange, patienceMs = PATIENCE_MS + batchingWindowMs } = input;
  await tickerIds.refresh();
  const inIndex = (await tickerIds.markets()).filter(
    (market) => (exchange ?? market.exchange) === market.exchange,
  );
  const stretches = await stretchesIn(input, lake, inIndex);
  if (from === undefined && to === undefined && exchange === undefined) {
    const stray = await tickerIds.countStray();
    if (stray > 0) output.problems.push(`${stray} documents lack exchange, category, symbol or slot`);
  }
  return { ...beginWalk(stretches), tally: {}, patienceMs };
}

type Ids = Map<string, IndexedTicker>;

interface Chunk {
  ids: Ids;
  /** Where it ends, epoch ms. */
  untilMs: number;
  problems: string[];
}

/** How lake and index differ. */
interface Findings {
  ids: Ids;
  documents: number;
  missing: IndexedTicker[];
  extra: IndexedTicker[];
}

/** The comparison under way; it advances the state. */
class Comparison {
  readonly tally: HourTally;
  readonly #services: OperationServices;
  readonly #state: VerifyCursor;
  readonly #output: VerifyOutput;
  readonly #hasTime: () => boolean;

  constructor(
    services: OperationServices,
    state: VerifyCursor,
    output: VerifyOutput,
    hasTime: () => boolean,
  ) {
    this.#services = services;
    this.#state = state;
    this.#output = output;
    this.#hasTime = hasTime;
    this.tally = new HourTally(state.tally);
  }

  /** Compares the next chunk; the next slice does it again if the time ends while tickers are waited for. */
  async step(stretch: Stretch): Promise<void> {
    const chunk = await this.#readChunk(stretch);
    const range = { ...stretch, toMs: chunk.untilMs };
    const findings =
      (await this.#agreement(range, chunk.ids)) ?? (await this.#disagreement(range, chunk.ids.size));
    if (!findings) return;
    const { ids, documents, missing, extra } = findings;
    for (const ticker of ids.values()) this.tally.add('lake', ticker);
    for (const ticker of missing) this.tally.add('missing', ticker);
    for (const ticker of extra) this.tally.add('extra', ticker);
    this.#output.lakeIds += ids.size;
    this.#output.documents += documents;
    if (range.toMs >= chunk.untilMs) addProblems(this.#output, chunk.problems);
    const atEnd = range.toMs >= stretch.toMs;
    const closed = this.tally.close(atEnd ? Number.POSITIVE_INFINITY : range.toMs, stretch);
    this.#output.seriesHours += closed.seriesHours;
    this.#output.differences.push(...closed.differences);
    delete this.#state.waiting;
    moveOn(this.#state, range.toMs);
  }

  /** The ids of the next batches, until there are enough or the stretch ends. */
  async #readChunk(stretch: Stretch): Promise<Chunk> {
    const ids: Ids = new Map();
    const problems: string[] = [];
    const nowMs = this.#services.now();
    for await (const { key, address, lines, problem } of walkBatches(this.#services.lake, stretch)) {
      if (problem !== undefined) problems.push(problem);
      const { slotMs = 0 } = address ?? {};
      // The id of every ticker of the batch: `exchange:category:symbol:slot`.
      const [start, end] = [formatSeries({ ...stretch, symbol: '' }), `:${slotMs}`];
      for (const [position, line] of lines.entries()) {
        const ticker = decodeLine(line, nowMs);
        if ('reason' in ticker) problems.push(`${key}, line ${position + 1}: ${ticker.reason}`);
        else if (!ticker.id.startsWith(start) || !ticker.id.endsWith(end)) {
          problems.push(`${key}, line ${position + 1}: a ticker of another batch, ${ticker.id}`);
        } else {
          ids.set(ticker.id, { id: ticker.id, symbol: ticker.id.slice(start.length, -end.length), slotMs });
        }
      }
      if (ids.size >= CHUNK_IDS && address) return { ids, untilMs: address.slotMs + 1, problems };
    }
    return { ids, untilMs: stretch.toMs, problems };
  }

  async #agreement(range: Stretch, ids: Ids): Promise<Findings | undefined> {
    const { total, known } = await this.#services.tickerIds.count(range, [...ids.keys()]);
    const agree = total === ids.size && known === ids.size;
    return agree ? { ids, documents: total, missing: [], extra: [] } : undefined;
  }

  /**
   * What differs in the range, which it may shorten. Waits for tickers that are on their way.
   * @returns undefined if the time ends before
   */
  async #disagreement(range: Stretch, expectedIds: number): Promise<Findings | undefined> {
    const state = this.#state;
    const standstillMs = this.#services.batchingWindowMs > 0 ? Number.POSITIVE_INFINITY : STANDSTILL_MS;
    await this.#shorten(range, expectedIds);
    do {
      const findings = await this.#findDifferences(range);
      const missing = findings.missing.length;
      const { waiting } = state;
      const stillMs = waiting && missing >= waiting.missing ? waiting.stillMs + LOOK_EVERY_MS : 0;
      if (missing === 0 || stillMs >= standstillMs || state.patienceMs <= 0) return findings;
      state.waiting = { missing, stillMs };
      state.patienceMs -= LOOK_EVERY_MS;
      await this.#services.sleep(LOOK_EVERY_MS);
      await this.#services.tickerIds.refresh();
    } while (this.#hasTime());
    return undefined;
  }

  /** Shortens the range until its documents fit into memory. */
  async #shorten(range: Stretch, ids: number): Promise<void> {
    while (range.toMs - range.fromMs > 1) {
      const { total } = await this.#services.tickerIds.count(range, []);
      if (total <= ids + MOST_DOCUMENTS) return;
      range.toMs = range.fromMs + Math.ceil((range.toMs - range.fromMs) / 2);
    }
  }

  /** First the index, then the lake: what is in the index was in the lake before. */
  async #findDifferences(range: Stretch): Promise<Findings> {
    const documents: IndexedTicker[] = [];
    for await (const ticker of this.#services.tickerIds.tickers(range)) documents.push(ticker);
    const ids = await this.#readAll(range);
    const missing = new Map(ids);
    // An id that is already taken out of `missing` is in the index twice.
    const extra = documents.filter(({ id }) => !missing.delete(id));
    return { ids, documents: documents.length, missing: [...missing.values()], extra };
  }

  async #readAll(range: Stretch): Promise<Ids> {
    const ids: Ids = new Map();
    for (let fromMs = range.fromMs; fromMs < range.toMs; ) {
      const chunk = await this.#readChunk({ ...range, fromMs });
      for (const [id, ticker] of chunk.ids) ids.set(id, ticker);
      fromMs = chunk.untilMs;
    }
    return ids;
  }
}
