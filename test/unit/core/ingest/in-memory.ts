import { markerText, parseMarker } from '../../../../core/ingest/marker-text.ts';
import type {
  CategoryOutcome,
  OutboxMarker,
  StreamRecord,
  TickerLake,
  TickerSource,
  TickerStream,
} from '../../../../core/ingest/ports.ts';
import { SourceUnavailableError } from '../../../../core/ingest/source-errors.ts';
import { UnreadableObjectError } from '../../../../core/lake/ndjson.ts';
import {
  type BatchAddress,
  markerKey,
  rejectedKey,
  tickersKey,
  unreadableMarkerKey,
} from '../../../../core/lake/ticker-objects.ts';
import type { Category, Market } from '../../../../core/market/series.ts';
import type { Rejected, RejectedTicker, Ticker } from '../../../../core/market/ticker.ts';
import { sampleTicker } from '../../../samples/tickers.ts';

/** The side effects of a poll, in order; a test may make one of them fail. */
export class Journal {
  readonly steps: string[] = [];
  /** The step that fails: `fetch`, `putTickers spot`, `produce`, … */
  failAt: string | undefined;

  step(name: string): void {
    this.steps.push(name);
    if (this.failAt !== undefined && name.startsWith(this.failAt))
      throw new Error(`${name}: broken on purpose`);
  }
}

/** The size of every batch in the in-memory lake. */
export const BATCH_BYTES = 100;

export class InMemoryLake implements TickerLake {
  readonly batches = new Map<string, { address: BatchAddress; lines: readonly string[] }>();
  readonly rejected = new Map<string, readonly Rejected[]>();
  /** By key. */
  readonly markers = new Map<string, string>();
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  async putTickers(
    address: BatchAddress,
    lines: readonly string[],
  ): Promise<{ bytes: number } | 'alreadyThere'> {
    this.#journal.step(`putTickers ${address.category}`);
    const key = tickersKey(address);
    if (this.batches.has(key)) return 'alreadyThere';
    this.batches.set(key, { address, lines });
    return { bytes: BATCH_BYTES };
  }

  async readTickers(address: BatchAddress): Promise<string[] | undefined> {
    this.#journal.step(`readTickers ${address.category} ${address.slotMs}`);
    const batch = this.batches.get(tickersKey(address));
    return batch && [...batch.lines];
  }

  async slotsAfter(market: Market, afterMs: number): Promise<number[]> {
    this.#journal.step(`slotsAfter ${market.category}`);
    return this.slotsOf(market).filter((slotMs) => slotMs > afterMs);
  }

  async firstSlot(market: Market): Promise<number | undefined> {
    this.#journal.step(`firstSlot ${market.category}`);
    return this.slotsOf(market)[0];
  }

  /** Ascending. */
  slotsOf({ exchange, category }: Market): number[] {
    return [...this.batches.values()]
      .map(({ address }) => address)
      .filter((address) => address.exchange === exchange && address.category === category)
      .map(({ slotMs }) => slotMs)
      .sort((a, b) => a - b);
  }

  async putRejected(
    address: BatchAddress,
    receivedAtMs: number,
    records: readonly Rejected[],
  ): Promise<void> {
    this.#journal.step(`putRejected ${address.category}`);
    this.rejected.set(rejectedKey(address, receivedAtMs), records);
  }

  async readMarker(market: Market): Promise<OutboxMarker | undefined> {
    this.#journal.step(`readMarker ${market.category}`);
    const key = markerKey(market);
    const text = this.markers.get(key);
    try {
      return text === undefined ? undefined : parseMarker(text);
    } catch (cause) {
      throw new UnreadableObjectError(key, cause);
    }
  }

  async writeMarker(market: Market, marker: OutboxMarker): Promise<void> {
    this.#journal.step(`writeMarker ${market.category}`);
    this.markers.set(markerKey(market), markerText(marker));
  }

  async setMarkerAside(key: string, market: Market, slotMs: number): Promise<string> {
    this.#journal.step(`setMarkerAside ${market.category}`);
    const aside = unreadableMarkerKey(market, slotMs);
    this.markers.set(aside, this.markers.get(key) ?? '');
    return aside;
  }
}

export class InMemoryStream implements TickerStream {
  readonly records: StreamRecord[] = [];
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  async produce(records: readonly StreamRecord[]): Promise<void> {
    this.#journal.step('produce');
    this.records.push(...records);
  }
}

/** An exchange with a given answer for each category. */
export class InMemorySource implements TickerSource {
  readonly name = 'bybit';
  readonly exchange = 'bybit';
  readonly categories: readonly Category[];
  symbols: Partial<Record<Category, string[]>>;
  rejected: Partial<Record<Category, RejectedTicker[]>> = {};
  /** How many tickers each category should have. */
  expected: Partial<Record<Category, number>> = {};
  failures: Partial<Record<Category, Extract<CategoryOutcome, { error: unknown }>['error']>> = {};
  readonly fetches: { categories: readonly Category[]; deadlineMs: number }[] = [];
  readonly #journal: Journal;

  constructor(journal: Journal, symbols: Partial<Record<Category, string[]>>) {
    this.#journal = journal;
    this.symbols = symbols;
    this.categories = Object.keys(symbols) as Category[];
  }

  async fetch(
    categories: readonly Category[],
    { slot, deadlineMs }: { slot: string; deadlineMs: number },
  ): Promise<CategoryOutcome[]> {
    this.#journal.step('fetch');
    this.fetches.push({ categories, deadlineMs });
    return categories.map((category) => {
      const common = { category, url: 'http://exchange.example', receivedAt: slot };
      const error = this.failures[category];
      if (error) return { ...common, error };
      const tickers: Ticker[] = (this.symbols[category] ?? []).map((symbol) =>
        sampleTicker({ category, symbol, slot }),
      );
      const expected = this.expected[category];
      const batch = { tickers, rejected: this.rejected[category] ?? [] };
      return { ...common, batch: { ...batch, ...(expected === undefined ? {} : { expected }) } };
    });
  }

  goDown(): void {
    for (const category of this.categories) {
      this.failures[category] = new SourceUnavailableError(`${category} is down`, {
        url: 'http://exchange.example',
      });
    }
  }
}
