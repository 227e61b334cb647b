import type { Absence } from '../completeness/absence.ts';
import type { FailedPolls } from '../completeness/failures.ts';
import type { indexBatch } from '../index/index-batch.ts';
import type { DeadLetter, DeadLetters } from '../index/ports.ts';
import type { Listing } from '../ingest/listings.ts';
import type { OutboxMarker } from '../ingest/ports.ts';
import type { Scope } from '../insights/ports.ts';
import type { CandleFormat, CandleObject } from '../lake/candle-objects.ts';
import type { CandleRow } from '../lake/candle-rows.ts';
import type { PathlessCandle, RecordedPrices } from '../market/candle.ts';
import type { Category, CurrencyPair, Market, Series } from '../market/series.ts';
import type { Window } from '../market/window.ts';
import type { SampleCounts, SummaryStore, TickHours } from '../summarise/ports.ts';

/** The objects of the lake. Every method throws when the store cannot be reached. */
export interface LakeObjects {
  /** Keys under a prefix, ascending; only those after `startAfter` if it is given. */
  keys(prefix: string, startAfter?: string): AsyncIterable<string>;
  /** The folders directly inside a folder, ascending, as full paths with a trailing slash. */
  folders(prefix: string): Promise<string[]>;
  /** The lines of a gzip NDJSON object; undefined if there is no such object. @throws UnreadableObjectError */
  readLines(key: string): Promise<string[] | undefined>;
  /** A market's outbox marker; undefined if it has none. @throws UnreadableObjectError */
  readMarker(market: Market): Promise<OutboxMarker | undefined>;
}

/** One market's slots in [fromMs, toMs), epoch ms. */
export interface Stretch extends Market, Window {}

/** A market's first and last slot, epoch ms; the first may be rounded down to its hour. */
export interface Extent extends Market {
  firstMs: number;
  lastMs: number;
}

/** One document of the ticker index. */
export interface IndexedTicker {
  id: string;
  symbol: string;
  slotMs: number;
}

/** Which tickers the index contains. */
export interface TickerIds {
  /** Makes everything indexed so far visible. */
  refresh(): Promise<void>;
  markets(): Promise<Extent[]>;
  /** Epoch ms; undefined without documents. */
  newestSlot(market: { exchange: string; category?: string }): Promise<number | undefined>;
  /** Documents that no range finds, because they lack a field that every ticker has. */
  countStray(): Promise<number>;
  /** How many documents a range has, and how many of them have one of these ids. */
  count(range: Stretch, ids: readonly string[]): Promise<{ total: number; known: number }>;
  /** Deletes an index of tickers. @param month `YYYY.MM` */
  deleteMonth(month: string): Promise<void>;
  /** A range's documents in no order. An id stored in two indices comes twice. */
  tickers(range: Stretch): AsyncIterable<IndexedTicker>;
}

/** Objects set aside for `redrive`. */
export interface SetAside<Content> {
  /** Keys, ascending; only those after `afterKey` if it is given. */
  keys(afterKey?: string): AsyncIterable<string>;
  /** @throws UnreadableObjectError */
  read(key: string): Promise<Content>;
}

export interface DeadLetterArchive extends DeadLetters, SetAside<DeadLetter[]> {
  /**
   * Takes letters out of an object: those that were indexed are kept elsewhere, the others stay. If it is killed
   * halfway, letters are in both places and taking them out again finds them.
   */
  move(key: string, indexed: readonly DeadLetter[], staying: readonly DeadLetter[]): Promise<void>;
}

/** A batch that Lambda gave up. */
export interface GivenUpBatch {
  records: Parameters<typeof indexBatch>[0];
  /** Epoch ms. */
  givenUpMs: number;
}

export interface GivenUpBatches extends SetAside<GivenUpBatch> {
  delete(key: string): Promise<void>;
}

/** An object of recorded candles, and when it was last written. */
export interface CandleObjectVersion {
  object: CandleObject;
  /** Epoch ms. */
  writtenMs: number;
}

/** Recorded candles in the lake. */
export interface CandleHistory {
  /** @param content uncompressed */
  put(object: CandleObject, content: string): Promise<void>;
  /**
   * All objects, or those of one series, the most recently written last, because it takes precedence. Those
   * of the same time by their keys.
   */
  list(series?: Series): Promise<CandleObjectVersion[]>;
  /** The uncompressed content. @throws UnreadableObjectError */
  read(object: CandleObject): Promise<string>;
  delete(object: CandleObject): Promise<void>;
}

/** Hourly candles of one series that start in [fromMs, toMs), epoch ms. */
export interface CandleRange extends Omit<Series, 'exchange'>, Window {}

/** The hourly candles of an exchange whose API we read ourselves. */
export interface CandleSource {
  readonly format: CandleFormat;
  /** Hours in one page, at most. */
  readonly pageHours: number;
  /** How many of its latest candles the exchange serves. @default its whole history */
  readonly keptCandles?: number | undefined;
  /** Fetches a page, giving up at `deadlineMs` (epoch ms). @throws SourceError */
  page(range: CandleRange, deadlineMs: number): Promise<CandlePage>;
}

export interface CandlePage {
  /** The answer's JSON, unchanged. */
  raw: unknown;
  /** In time order. */
  rows: RecordedPrices[];
  /** Candles that do not start on the hour, and are left out of `rows`. */
  moved: number;
  pair: CurrencyPair;
  /** The exchange has nothing earlier, although it was asked; epoch ms. */
  keptFromMs?: number;
}

/** What the exchanges know about candles. */
export interface ExchangeCandles {
  /** Why there are no candles of a market to fetch; undefined if there are. */
  whyNone(exchange: string, category: Category, baseUrl: string | undefined): string | undefined;
  /** @param baseUrl replaces the exchange's own */
  source(exchange: string, baseUrl: string | undefined): CandleSource;
  /** Parses an exchange's answer for one symbol. */
  parse(format: CandleFormat, symbol: string, content: string): RecordedPrices[];
  /** Base and quote, if the symbol's spelling reveals them. */
  pairOf(series: Series): CurrencyPair;
}

/** Hourly candles of one market, by pages of any length. */
export interface CandlePager {
  /** Fetches a page, giving up at `deadlineMs` (epoch ms). @throws SourceError */
  page(range: Omit<CandleRange, 'category'>, deadlineMs: number): Promise<RowPage>;
}

export interface RowPage {
  pair: CurrencyPair;
  /** In time order. */
  rows: CandleRow[];
  /** Candles that do not start on the hour, and are left out of `rows`. */
  moved: number;
  /** Where the next request begins; `toMs` or later after the last page. */
  nextMs: number;
}

/** Everything that summarising reads and writes. */
export interface SummaryStores {
  store: SummaryStore;
  ticks: TickHours;
  counts: SampleCounts;
}

/** Lets only one process write summaries at a time. */
export interface SummaryLease {
  /**
   * @param waitUntilMs how long to wait for the lease, epoch ms
   * @param deadlineMs how long to retry failed requests, epoch ms
   * @returns `busy` if somebody else kept the lease; `holder` says for what
   */
  hold<T>(
    lease: { purpose: string; waitUntilMs: number; deadlineMs: number },
    work: (stores: SummaryStores) => Promise<T>,
  ): Promise<{ kind: 'done'; result: T } | { kind: 'busy'; holder: string }>;
}

/** Looks at Kafka, for `doctor`. */
export interface StreamHealth {
  readonly topic: string;
  /** Of the index function. */
  readonly consumerGroup: string;
  /** `host:port` of each. */
  brokers(): Promise<string[]>;
  /** Undefined if the topic does not exist. */
  partitions(): Promise<{ total: number; leaderless: number; underReplicated: number } | undefined>;
  /**
   * How far the group is behind, and how far it is: the sum of what it has committed, 0 if nothing. Lambda's pollers may
   * commit without joining the group, so they need not be among its members.
   */
  lag(): Promise<{ records: number; committed: number; members: number }>;
  close(): Promise<void>;
}

/** Looks at OpenSearch, for `doctor`. */
export interface SearchHealth {
  cluster(): Promise<{ status: string; nodes: number; shards: number }>;
  /** Every index template that setup creates. */
  templates(): Promise<{ name: string; exists: boolean }[]>;
  /** Months, `YYYY.MM`, whose tickers are in an index of an older shape, which lacks columns. */
  olderMonths(): Promise<string[]>;
}

/** Looks at the lake's bucket, for `doctor`. */
export interface LakeHealth {
  readonly bucket: string;
  /** Writes, reads and deletes a probe object. @returns whether it read what it wrote */
  probe(): Promise<boolean>;
}

/** Where questions find which markets came and went. */
export interface ListingIndex {
  /** The latest poll (epoch ms) whose listings of a market it has. */
  newestSlot(market: Market, deadlineMs: number): Promise<number | undefined>;
  /** Adding one again changes nothing. */
  add(listings: readonly Listing[], deadlineMs: number): Promise<void>;
}

/** Where questions find when exchanges gave no prices. */
export interface FailedPollIndex {
  /** The latest hour (its start, epoch ms) that it has of a market. */
  newestHour(market: Market, deadlineMs: number): Promise<number | undefined>;
  /** Replaces what it has of these hours. */
  add(hours: readonly FailedPolls[], deadlineMs: number): Promise<void>;
}

/** What the candles of one series in a window add up to. */
export interface RecordedHours {
  series: Series;
  /** Hours that they cover. */
  hours: number;
  /** Starts of the first and the last one, epoch ms. */
  firstMs: number;
  lastMs: number;
  /** Whether each is of an hour and has ticks of at least half of the polls due, or is recorded. */
  areWhole: boolean;
}

export interface SeriesChoice extends Scope {
  symbol?: string | undefined;
}

/** Which hours of which series the index has, for the completeness ledger. */
export interface CompletenessIndex {
  countSeries(which: SeriesChoice): Promise<number>;
  /** Every series that was summarised, by name, page by page; only those after `after` if it is given. */
  series(which: SeriesChoice, after?: Series): AsyncIterable<Series[]>;
  /** The candles of these series that start in the window. Series without one are left out. */
  recorded(series: readonly Series[], window: Window): Promise<RecordedHours[]>;
  candles(series: Series, window: Window): Promise<PathlessCandle[]>;
  /** Why a series has no data at times, according to the polls. */
  absence(series: Series): Promise<Absence>;
  /** Every hour that ends at or before this is summarised; epoch ms. Undefined before the first. */
  summarisedUntil(): Promise<number | undefined>;
}
