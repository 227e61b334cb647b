import type { Client } from '@opensearch-project/opensearch';
import { type Candle, candleId } from '../../core/market/candle.ts';
import { type Move, moveId } from '../../core/market/directional-change.ts';
import {
  CANDLE_INDICES,
  candleIndexOf,
  MOVES_INDEX,
  SUMMARY_STATE_INDEX,
} from '../../core/market/index-names.ts';
import type { Series } from '../../core/market/series.ts';
import { formatSeries } from '../../core/market/series.ts';
import { DAY_MS, dayOf, HOUR_MS } from '../../core/market/time.ts';
import type { CandleRange, HourCount, SummaryStore } from '../../core/summarise/ports.ts';
import type { SeriesLedger } from '../../core/summarise/series-ledger.ts';
import type { BulkAction, OpenSearchBulk } from './bulk.ts';
import { timeRange } from './queries.ts';
import { type OpenSearchSearch, retryTransient } from './search.ts';
import { countsByHour } from './ticks.ts';

const MARKER_ID = 'marker';
/** Ledgers asked for at once. */
const LEDGERS_A_REQUEST = 1_000;

/** Summaries could not be written; what was not is made again by the next run. */
export class SummaryWriteError extends Error {
  override readonly name = 'SummaryWriteError';
}

export interface OpenSearchSummariesOptions {
  client: Client;
  search: OpenSearchSearch;
  bulk: OpenSearchBulk;
  /** Epoch ms until which what failed is tried again. */
  deadlineMs: number;
  /** Called before each write; throws where this process may not write any more. */
  mayWrite: () => void;
}

/** The candles, the moves and the state of summarising in OpenSearch. */
export class OpenSearchSummaries implements SummaryStore {
  readonly #options: OpenSearchSummariesOptions;
  /** What was not written to since a search of it finds everything; who came before us, we do not know. */
  readonly #fresh = new Map<string, Promise<unknown>>();

  constructor(options: OpenSearchSummariesOptions) {
    this.#options = options;
  }

  /** From now on anybody's search finds everything that was written. */
  async refresh(): Promise<void> {
    await Promise.all(
      [CANDLE_INDICES, MOVES_INDEX, SUMMARY_STATE_INDEX].map((index) => this.#refreshed(index)),
    );
  }

  async #refreshed(index: string): Promise<void> {
    const { client, deadlineMs } = this.#options;
    const fresh =
      this.#fresh.get(index) ??
      retryTransient(
        () =>
          client.indices.refresh({
            index,
            ignore_unavailable: true,
            allow_no_indices: true,
            expand_wildcards: ['open', 'hidden'],
          }),
        deadlineMs,
      );
    this.#fresh.set(index, fresh);
    await fresh.catch((error) => {
      this.#fresh.delete(index);
      throw error;
    });
  }

  async candlesAround(hourMs: number): Promise<Candle[]> {
    const dayMs = dayOf(hourMs);
    return this.#candles({
      bool: {
        should: [
          candlesIn(1, hourMs - HOUR_MS, hourMs + 2 * HOUR_MS),
          candlesIn(24, dayMs, dayMs + 2 * DAY_MS),
        ],
      },
    });
  }

  candlesOf(series: Series, { fromMs, toMs, limit }: CandleRange): Promise<Candle[]> {
    return this.#candles(ofSeries(series, timeRange('start', fromMs, toMs)), limit);
  }

  async #candles(filter: object, limit?: number): Promise<Candle[]> {
    await this.#refreshed(CANDLE_INDICES);
    const hits = await this.#options.search.all<Candle>(
      CANDLE_INDICES,
      {
        query: { bool: { filter: [filter] } },
        sort: ['exchange', 'category', 'symbol', 'start', 'hours'],
      },
      limit,
    );
    return hits.map(({ _source }) => _source);
  }

  async writeCandles(put: readonly Candle[], remove: readonly Candle[]): Promise<void> {
    await this.#write(CANDLE_INDICES, [
      ...put.map((candle) => replace(candleIndexOf(candle.start), candleId(candle), candle)),
      ...remove.map(({ start, ...candle }): BulkAction => {
        return { kind: 'delete', index: candleIndexOf(start), id: candleId({ ...candle, start }) };
      }),
    ]);
  }

  async moveIds(
    series: Series,
    { fromMs, toMs }: { fromMs?: number | undefined; toMs?: number | undefined },
  ): Promise<string[]> {
    await this.#refreshed(MOVES_INDEX);
    const hits = await this.#options.search.all(MOVES_INDEX, {
      query: { bool: { filter: [ofSeries(series, timeRange('confirmed_time', fromMs, toMs))] } },
      sort: ['exchange', 'category', 'symbol', 'confirmed_time', 'threshold'],
      _source: false,
    });
    return hits.map(({ _id }) => _id);
  }

  async writeMoves(put: readonly Move[], removeIds: readonly string[]): Promise<void> {
    await this.#write(MOVES_INDEX, [
      ...put.map((move) => replace(MOVES_INDEX, moveId(move), move)),
      ...removeIds.map((id): BulkAction => ({ kind: 'delete', index: MOVES_INDEX, id })),
    ]);
  }

  async ledgers(series: readonly Series[]): Promise<Map<string, SeriesLedger>> {
    const found = new Map<string, SeriesLedger>();
    const ids = series.map(ledgerId);
    for (let from = 0; from < ids.length; from += LEDGERS_A_REQUEST) {
      const answer = await retryTransient(
        () =>
          this.#options.client.transport.request({
            method: 'POST',
            path: `/${SUMMARY_STATE_INDEX}/_mget`,
            body: { ids: ids.slice(from, from + LEDGERS_A_REQUEST) },
          }),
        this.#options.deadlineMs,
      );
      const { docs } = answer.body as unknown as { docs: { found?: boolean; _source: StateDocument }[] };
      for (const doc of docs) {
        if (doc.found) found.set(formatSeries(doc._source.ledger), doc._source.ledger);
      }
    }
    return found;
  }

  async staleLedgers(limit: number): Promise<SeriesLedger[]> {
    await this.#refreshed(SUMMARY_STATE_INDEX);
    return (await this.#options.search.all<StateDocument>(SUMMARY_STATE_INDEX, STALE, limit)).map(ledgerOf);
  }

  async countStale(): Promise<number> {
    await this.#refreshed(SUMMARY_STATE_INDEX);
    const { hits } = await this.#options.search.search(SUMMARY_STATE_INDEX, {
      query: STALE.query,
      size: 0,
      track_total_hits: true,
    });
    return (hits as unknown as { total: { value: number } }).total.value;
  }

  async *allLedgers(): AsyncGenerator<SeriesLedger[]> {
    await this.#refreshed(SUMMARY_STATE_INDEX);
    const everyOne = { ...STALE, query: { term: { kind: 'ledger' } } };
    for await (const page of this.#options.search.pages<StateDocument>(SUMMARY_STATE_INDEX, everyOne)) {
      yield page.map(ledgerOf);
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
    const { client, deadlineMs } = this.#options;
    return readSummarisedUntil(client, deadlineMs);
  }

  async setSummarisedUntil(ms: number): Promise<void> {
    const note: Marker = { until: new Date(ms).toISOString() };
    await this.#write(SUMMARY_STATE_INDEX, [replace(SUMMARY_STATE_INDEX, MARKER_ID, { kind: 'note', note })]);
  }

  /** The `samples` of the hourly candles, by series and hour. */
  async candleSamples(fromMs: number, toMs: number): Promise<HourCount[]> {
    await this.#refreshed(CANDLE_INDICES);
    return countsByHour(this.#options.search, CANDLE_INDICES, 'start', candlesIn(1, fromMs, toMs), 'samples');
  }

  async #write(index: string, actions: readonly BulkAction[]): Promise<void> {
    const { bulk, deadlineMs, mayWrite } = this.#options;
    mayWrite();
    const outcomes = await bulk.write(actions, deadlineMs).finally(() => this.#fresh.delete(index));
    const failed = outcomes.filter(({ kind }) => kind === 'retry' || kind === 'refused');
    const [first] = failed;
    if (first && 'reason' in first) {
      const target = actions[outcomes.indexOf(first)];
      throw new SummaryWriteError(
        `OpenSearch did not take ${failed.length} of ${actions.length} summaries; the first was ${target?.id} for ${target?.index}: ${first.reason}`,
      );
    }
  }
}

interface Marker {
  until: string;
}

/** {@link SummaryStore.summarisedUntil}, for who only reads; tried again until the deadline, epoch ms. */
export async function readSummarisedUntil(client: Client, deadlineMs: number): Promise<number | undefined> {
  const read = async () => {
    try {
      const { body } = await client.get({ index: SUMMARY_STATE_INDEX, id: MARKER_ID });
      return Date.parse((body._source as { note: Marker }).note.until);
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

const STALE = {
  query: { bool: { filter: [{ term: { kind: 'ledger' } }, { term: { stale: true } }] } },
  sort: ['exchange', 'category', 'symbol'],
};

const ledgerOf = ({ _source }: { _source: StateDocument }) => _source.ledger;

function ledgerId(series: Series): string {
  return `series:${formatSeries(series)}`;
}

function candlesIn(hours: 1 | 24, fromMs: number, toMs: number): object {
  return { bool: { filter: [{ term: { hours } }, timeRange('start', fromMs, toMs)] } };
}

function ofSeries({ exchange, category, symbol }: Series, range: object): object {
  return { bool: { filter: [{ term: { exchange } }, { term: { category } }, { term: { symbol } }, range] } };
}

function replace(index: string, id: string, document: object): BulkAction {
  return { kind: 'index', index, id, source: JSON.stringify(document) };
}
