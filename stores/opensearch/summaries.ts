import type { Client } from '@opensearch-project/opensearch';
import { type Candle, candleId } from '../../core/market/candle.ts';
import { type Move, moveId } from '../../core/market/directional-change.ts';
import {
  CANDLE_INDICES,
  candleIndexOf,
  LATE_HOURS_INDEX,
  MOVES_INDEX,
  SUMMARY_STATE_INDEX,
} from '../../core/market/index-names.ts';
import { formatMarket, formatSeries, type Market, type Series } from '../../core/market/series.ts';
import { DAY_MS, dayOf, HOUR_MS } from '../../core/market/time.ts';
import type {
  CandleRange,
  HourCount,
  RetentionProgress,
  SummaryStore,
  UnfinishedHour,
} from '../../core/summarise/ports.ts';
import type { SeriesLedger } from '../../core/summarise/series-ledger.ts';
import type { OpenSearchBulk } from './bulk.ts';
import type { BulkAction } from './bulk-request.ts';
import { type CandleRecord, candleOf, candleRecord } from './candle-record.ts';
import { Freshness } from './freshness.ts';
import type { LateHour } from './late-hours.ts';
import { type Lease, LeaseLostError } from './lease.ts';
import { allOf, type Filter, ofMarket, ofSeries, SERIES_FIELDS, sourcesOf, timeRange } from './queries.ts';
import { type OpenSearchSearch, retryTransient } from './search.ts';
import { countsByHour } from './ticks.ts';

const ALL_INDICES = ['open' as const, 'hidden' as const];
const MARKER_ID = 'marker';
const LATE_HOURS_ID = 'late-hours';
const RETENTION_ID = 'retention';
const LEDGERS_PER_REQUEST = 1_000;

/** Some summaries could not be written; the next run makes them again. */
export class SummaryWriteError extends Error {
  override readonly name = 'SummaryWriteError';
}

export interface OpenSearchSummariesOptions {
  client: Client;
  search: OpenSearchSearch;
  bulk: OpenSearchBulk;
  /** Until when failures are retried, epoch ms. */
  deadlineMs: number;
  /** Under which everything is written. */
  lease: Lease;
}

/** The candles, the moves, and what summarising remembers. */
export class OpenSearchSummaries implements SummaryStore {
  readonly #options: OpenSearchSummariesOptions;
  /** The parts of the candle indices are markets. */
  readonly #freshness: Freshness;
  #marker: Promise<Marker | undefined> | undefined;

  constructor(options: OpenSearchSummariesOptions) {
    this.#options = options;
    const { client, deadlineMs } = options;
    const every = { ignore_unavailable: true, allow_no_indices: true, expand_wildcards: ALL_INDICES };
    this.#freshness = new Freshness((index) =>
      retryTransient(() => client.indices.refresh({ index, ...every }), deadlineMs),
    );
  }

  /** Makes everything written so far visible to every search. */
  async refresh(): Promise<void> {
    await Promise.all(
      [CANDLE_INDICES, MOVES_INDEX, SUMMARY_STATE_INDEX].map((index) => this.#freshness.ensure(index)),
    );
  }

  candlesAround(hourMs: number, market: Market): Promise<Candle[]> {
    const dayMs = dayOf(hourMs);
    const hours = candlesOfLength(1, hourMs - HOUR_MS, hourMs + 2 * HOUR_MS);
    const days = candlesOfLength(24, dayMs, dayMs + 2 * DAY_MS);
    return this.#candles(market, allOf(ofMarket(market), { bool: { should: [hours, days] } }));
  }

  candlesOf(series: Series, { fromMs, toMs, limit }: CandleRange): Promise<Candle[]> {
    return this.#candles(series, allOf(ofSeries(series), timeRange('start', fromMs, toMs)), limit);
  }

  async #candles(market: Market, query: Filter, limit?: number): Promise<Candle[]> {
    await this.#freshness.ensure(CANDLE_INDICES, formatMarket(market));
    const body = { query: allOf(query), sort: [...SERIES_FIELDS, 'start', 'hours'] };
    const hits = await this.#options.search.all<CandleRecord>(CANDLE_INDICES, body, limit);
    return hits.map(({ _source }) => candleOf(_source));
  }

  async withCandles(series: readonly Series[]): Promise<Set<string>> {
    const found = new Set<string>();
    if (series.length === 0) return found;
    await Promise.all(series.map((each) => this.#freshness.ensure(CANDLE_INDICES, formatMarket(each))));
    // This may include series that were not requested, such as the same symbols in another category, which is
    // harmless.
    const named = SERIES_FIELDS.map((field) => ({
      terms: { [field]: [...new Set(series.map((each) => each[field]))] },
    }));
    const pages = this.#options.search.buckets<{ key: Series }>(
      CANDLE_INDICES,
      allOf(...named),
      sourcesOf(SERIES_FIELDS),
    );
    for await (const page of pages) for (const { key } of page) found.add(formatSeries(key));
    return found;
  }

  async writeCandles(put: readonly Candle[], remove: readonly Candle[]): Promise<void> {
    const markets = new Set([...put, ...remove].map(formatMarket));
    await this.#write(
      CANDLE_INDICES,
      [
        ...put.map((candle) =>
          replace(candleIndexOf(candle.startMs), candleId(candle), candleRecord(candle)),
        ),
        ...remove.map((candle) => deleteDocument(candleIndexOf(candle.startMs), candleId(candle))),
      ],
      markets,
    );
  }

  async moveIds(series: Series, { fromMs, toMs }: Pick<CandleRange, 'fromMs' | 'toMs'>): Promise<string[]> {
    await this.#freshness.ensure(MOVES_INDEX);
    const hits = await this.#options.search.all(MOVES_INDEX, {
      query: allOf(ofSeries(series), timeRange('confirmed_time', fromMs, toMs)),
      sort: [...SERIES_FIELDS, 'confirmed_time', 'threshold'],
      _source: false,
    });
    return hits.map(({ _id }) => _id);
  }

  async writeMoves(put: readonly Move[], removeIds: readonly string[]): Promise<void> {
    await this.#write(MOVES_INDEX, [
      ...put.map((move) => replace(MOVES_INDEX, moveId(move), move)),
      ...removeIds.map((id) => deleteDocument(MOVES_INDEX, id)),
    ]);
  }

  async ledgers(series: readonly Series[]): Promise<Map<string, SeriesLedger>> {
    const { client, deadlineMs } = this.#options;
    const found = new Map<string, SeriesLedger>();
    const ids = series.map(ledgerId);
    for (let from = 0; from < ids.length; from += LEDGERS_PER_REQUEST) {
      const request = {
        method: 'POST',
        path: `/${SUMMARY_STATE_INDEX}/_mget`,
        body: { ids: ids.slice(from, from + LEDGERS_PER_REQUEST) },
      };
      const answer = await retryTransient(() => client.transport.request(request), deadlineMs);
      const { docs } = answer.body as unknown as { docs: { found?: boolean; _source: StateDocument }[] };
      for (const { found: exists, _source } of docs) {
        if (exists) found.set(formatSeries(_source.ledger), _source.ledger);
      }
    }
    return found;
  }

  async staleLedgers(limit: number): Promise<SeriesLedger[]> {
    await this.#freshness.ensure(SUMMARY_STATE_INDEX);
    const { search } = this.#options;
    const body = { query: STALE_LEDGERS, sort: SERIES_FIELDS };
    return (await search.all<StateDocument>(SUMMARY_STATE_INDEX, body, limit)).map(ledgerIn);
  }

  async countStale(): Promise<number> {
    await this.#freshness.ensure(SUMMARY_STATE_INDEX);
    const { hits } = await this.#options.search.search(SUMMARY_STATE_INDEX, {
      query: STALE_LEDGERS,
      size: 0,
      track_total_hits: true,
    });
    return (hits as unknown as { total: { value: number } }).total.value;
  }

  async *allLedgers(): AsyncGenerator<SeriesLedger[]> {
    await this.#freshness.ensure(SUMMARY_STATE_INDEX);
    const body = { query: allOf(IS_LEDGER), sort: SERIES_FIELDS };
    for await (const page of this.#options.search.pages<StateDocument>(SUMMARY_STATE_INDEX, body)) {
      yield page.map(ledgerIn);
    }
  }

  async *walkedThresholds(): AsyncGenerator<(Series & Pick<SeriesLedger, 'thresholds'>)[]> {
    await this.#freshness.ensure(SUMMARY_STATE_INDEX);
    const fields = [...SERIES_FIELDS.map((field) => `ledger.${field}`), 'ledger.thresholds'];
    const body = { query: allOf(IS_LEDGER), sort: SERIES_FIELDS, _source: fields };
    for await (const page of this.#options.search.pages<StateDocument>(SUMMARY_STATE_INDEX, body)) {
      yield page.map(ledgerIn);
    }
  }

  async writeLedgers(ledgers: readonly SeriesLedger[]): Promise<void> {
    await this.#write(
      SUMMARY_STATE_INDEX,
      ledgers.map((ledger) => {
        const { exchange, category, symbol, stale } = ledger;
        const document: StateDocument = { kind: 'ledger', exchange, category, symbol, stale, ledger };
        return replace(SUMMARY_STATE_INDEX, ledgerId(ledger), document);
      }),
    );
  }

  async summarisedUntil(): Promise<number | undefined> {
    return untilIn(await this.#readMarker());
  }

  async setSummarisedUntil(ms: number, matched?: ReadonlyMap<number, number>): Promise<void> {
    const known = matched ? matchedNote(matched) : (await this.#readMarker())?.matched;
    await this.#writeMarker({ until: new Date(ms).toISOString(), ...(known ? { matched: known } : {}) });
  }

  async matchedTicks(): Promise<Map<number, number>> {
    const { matched = {} } = (await this.#readMarker()) ?? {};
    return new Map(Object.entries(matched).map(([hour, ticks]) => [Date.parse(hour), ticks]));
  }

  async unfinishedHour(): Promise<UnfinishedHour | undefined> {
    return (await this.#readMarker())?.unfinished;
  }

  async setUnfinishedHour({ done, ...hour }: UnfinishedHour): Promise<void> {
    await this.#writeMarker({ ...(await this.#readMarker()), unfinished: { ...hour, done: [...done] } });
  }

  /** It is read once, because only the holder of the lease writes it. */
  #readMarker(): Promise<Marker | undefined> {
    const { client, deadlineMs } = this.#options;
    this.#marker ??= readNote<Marker>(client, MARKER_ID, deadlineMs);
    return this.#marker;
  }

  async #writeMarker(marker: Marker): Promise<void> {
    await this.#writeNote(MARKER_ID, marker);
    this.#marker = Promise.resolve(marker);
  }

  retentionProgress(): Promise<RetentionProgress | undefined> {
    return readNote(this.#options.client, RETENTION_ID, this.#options.deadlineMs);
  }

  async setRetentionProgress(progress: RetentionProgress): Promise<void> {
    await this.#writeNote(RETENTION_ID, progress);
  }

  async #writeNote(id: string, note: object): Promise<void> {
    await this.#write(SUMMARY_STATE_INDEX, [replace(SUMMARY_STATE_INDEX, id, { kind: 'note', note })]);
  }

  async lateHours(): Promise<number[]> {
    const { client, bulk, deadlineMs } = this.#options;
    const [note, recorded] = await Promise.all([
      readNote<{ hours: string[] }>(client, LATE_HOURS_ID, deadlineMs),
      this.#recordedLateHours(),
    ]);
    const hours = [...new Set([...(note?.hours ?? []), ...recorded])];
    if (recorded.length > 0) {
      // From here on, ticks of these hours are recorded again, because this run may no longer see them.
      await this.setLateHours(hours.map(Date.parse));
      const deletes = recorded.map((hour) => deleteDocument(LATE_HOURS_INDEX, hour));
      await bulk.write(deletes, deadlineMs);
    }
    return hours.map(Date.parse);
  }

  /** Their ids are the hours. */
  async #recordedLateHours(): Promise<string[]> {
    this.#freshness.forget(LATE_HOURS_INDEX); // others write it at any time
    await this.#freshness.ensure(LATE_HOURS_INDEX);
    const body = { query: { match_all: {} }, sort: ['hour'] };
    const hits = await this.#options.search.all<LateHour>(LATE_HOURS_INDEX, body);
    return hits.map(({ _source }) => _source.hour);
  }

  async setLateHours(left: readonly number[]): Promise<void> {
    const hours = left.map((ms) => new Date(ms).toISOString());
    await this.#writeNote(LATE_HOURS_ID, { hours });
  }

  /** The `samples` of the hourly candles, by series and hour. */
  async *candleSamples(fromMs: number, toMs: number): AsyncGenerator<HourCount[]> {
    await this.#freshness.ensure(CANDLE_INDICES);
    const query = candlesOfLength(1, fromMs, toMs);
    yield* countsByHour(this.#options.search, CANDLE_INDICES, 'start', query, 'samples');
  }

  /** The daily candles of these hours' days, by series and day. */
  async *dailyCandles(fromMs: number, toMs: number): AsyncGenerator<HourCount[]> {
    await this.#freshness.ensure(CANDLE_INDICES);
    const query = candlesOfLength(24, dayOf(fromMs), toMs);
    yield* countsByHour(this.#options.search, CANDLE_INDICES, 'start', query);
  }

  /**
   * @throws LeaseLostError if another process may write, or has written one of the documents since
   * @throws SummaryWriteError if some could not be written for another reason
   */
  async #write(index: string, actions: readonly SummaryAction[], parts?: Iterable<string>): Promise<void> {
    const { bulk, deadlineMs, lease } = this.#options;
    lease.assertHeld();
    const fenced = actions.map((action) => ({ ...action, version: lease.fence }));
    const outcomes = await bulk
      .write(fenced, deadlineMs)
      .finally(() => this.#freshness.written(index, parts));
    const overtaken = actions[outcomes.findIndex(({ kind }) => kind === 'alreadyThere')];
    if (overtaken) {
      const { purpose } = lease;
      throw new LeaseLostError(purpose, `another process has written ${overtaken.id} in ${overtaken.index}`);
    }
    const failed = outcomes.filter(({ kind }) => kind === 'retry' || kind === 'refused');
    const [first] = failed;
    if (first && 'reason' in first) {
      const target = actions[outcomes.indexOf(first)];
      throw new SummaryWriteError(
        `OpenSearch did not store ${failed.length} of ${actions.length} summaries; the first is ${target?.id} in ${target?.index}: ${first.reason}`,
      );
    }
  }
}

/** {@link SummaryStore.summarisedUntil}, for processes that only read; retried until the deadline, epoch ms. */
export async function readSummarisedUntil(client: Client, deadlineMs: number): Promise<number | undefined> {
  return untilIn(await readNote<Marker>(client, MARKER_ID, deadlineMs));
}

/** How far summarising has come. */
interface Marker {
  /** ISO 8601 UTC; absent until the first hour is done. */
  until?: string;
  /** See `matchedTicks`; by hour, ISO 8601 UTC. */
  matched?: Record<string, number>;
  /** Forgotten whenever the marker moves: after that, its markets may have to be summarised again. */
  unfinished?: UnfinishedHour;
}

function untilIn(marker: Marker | undefined): number | undefined {
  return marker?.until === undefined ? undefined : Date.parse(marker.until);
}

function matchedNote(matched: ReadonlyMap<number, number>): Marker['matched'] {
  return Object.fromEntries([...matched].map(([ms, ticks]) => [new Date(ms).toISOString(), ticks]));
}

/** A small document of its own; undefined if it was never written. */
function readNote<Note>(client: Client, id: string, deadlineMs: number): Promise<Note | undefined> {
  const read = async () => {
    try {
      const { body } = await client.get({ index: SUMMARY_STATE_INDEX, id });
      return (body._source as unknown as { note: Note }).note;
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode === 404) return undefined;
      throw error;
    }
  };
  return retryTransient(read, deadlineMs);
}

interface StateDocument extends Series {
  kind: 'ledger';
  stale: boolean;
  ledger: SeriesLedger;
}

const IS_LEDGER = { term: { kind: 'ledger' } };
const STALE_LEDGERS = allOf(IS_LEDGER, { term: { stale: true } });

const ledgerIn = ({ _source }: { _source: StateDocument }) => _source.ledger;
const ledgerId = (series: Series) => `series:${formatSeries(series)}`;

function candlesOfLength(hours: 1 | 24, fromMs: number, toMs: number): Filter {
  return allOf({ term: { hours } }, timeRange('start', fromMs, toMs));
}

type SummaryAction = Exclude<BulkAction, { kind: 'create' }>;

function replace(index: string, id: string, document: object): SummaryAction {
  return { kind: 'index', index, id, source: JSON.stringify(document) };
}

function deleteDocument(index: string, id: string): SummaryAction {
  return { kind: 'delete', index, id };
}
