import {
  type Candle,
  type CandleSeries,
  candleFromHistory,
  candleFromTicks,
  candleId,
  chooseCandle,
  type RecordedPrices,
  withLogReturn,
} from '../../../../core/market/candle.ts';
import { type Move, moveId, moveOf, movesOf } from '../../../../core/market/directional-change.ts';
import { formatMarket, formatSeries, type Market, type Series } from '../../../../core/market/series.ts';
import { DAY_MS, dayOf, HOUR_MS, hourOf } from '../../../../core/market/time.ts';
import type {
  CandleRange,
  HourCount,
  MarketTicks,
  RetentionProgress,
  SampleCounts,
  SeriesTicks,
  SummaryStore,
  TickHours,
  UnfinishedHour,
} from '../../../../core/summarise/ports.ts';
import type { SeriesLedger } from '../../../../core/summarise/series-ledger.ts';
import type { SummarySettings } from '../../../../core/summarise/settings.ts';

/** The process was killed: earlier writes are kept, later ones do not happen. */
export class Killed extends Error {}

export const SETTINGS: SummarySettings = {
  thresholds: [0.01, 0.05],
  samplingIntervals: { 'recorded:spot': 900_000, 'elsewhere:spot': 900_000 },
};

export const BTC: CandleSeries = {
  exchange: 'recorded',
  category: 'spot',
  symbol: 'BTCUSD',
  base: 'BTC',
  quote: 'USD',
};
export const ETH: CandleSeries = { ...BTC, symbol: 'ETHUSD', base: 'ETH' };
/** In another market. */
export const ELSEWHERE: CandleSeries = { ...BTC, exchange: 'elsewhere' };

/** 2018-07-01T00:00Z, where the tests' hours start. */
export const START_MS = Date.UTC(2018, 6, 1);

/** Ticks in memory. */
export class MemoryTicks implements TickHours {
  readonly hasAllTicks = false;
  readonly #prices = new Map<string, { series: CandleSeries; bySlot: Map<number, number> }>();

  add(series: CandleSeries, slotMs: number, price: number): void {
    const key = formatSeries(series);
    const found = this.#prices.get(key) ?? { series, bySlot: new Map<number, number>() };
    this.#prices.set(key, found);
    found.bySlot.set(slotMs, price);
  }

  /** An hour's prices, at its minutes 0, 10, 20, …; `hour` counts from {@link START_MS}. */
  addHour(series: CandleSeries, hour: number, ...prices: number[]): void {
    for (const [index, price] of prices.entries()) {
      this.add(series, START_MS + hour * HOUR_MS + index * 10 * 60_000, price);
    }
  }

  removeBefore(ms: number): void {
    for (const { bySlot } of this.#prices.values()) {
      for (const slotMs of bySlot.keys()) if (slotMs < ms) bySlot.delete(slotMs);
    }
  }

  async firstTickIn(fromMs: number, toMs: number): Promise<number | undefined> {
    const slots = [...this.#prices.values()].flatMap(({ bySlot }) => [...bySlot.keys()]);
    const inRange = slots.filter((slotMs) => slotMs >= fromMs && slotMs < toMs);
    return inRange.length > 0 ? Math.min(...inRange) : undefined;
  }

  async marketsOf(hourMs: number): Promise<MarketTicks[]> {
    const counted = this.counts(hourMs, hourMs + HOUR_MS);
    return [...Map.groupBy(counted, ({ series }) => formatMarket(series)).values()].flatMap((ofMarket) => {
      const [first] = ofMarket;
      const ticks = ofMarket.reduce((sum, { count }) => sum + count, 0);
      return first ? { exchange: first.series.exchange, category: first.series.category, ticks } : [];
    });
  }

  async ticksOf(hourMs: number, market: Market): Promise<SeriesTicks[]> {
    return this.all().flatMap(({ series, ticks }) => {
      if (formatMarket(series) !== formatMarket(market)) return [];
      const ofHour = ticks.filter(({ slotMs }) => hourOf(slotMs) === hourMs);
      return ofHour.length > 0 ? [{ series, ticks: ofHour }] : [];
    });
  }

  all(): SeriesTicks[] {
    return [...this.#prices.values()].map(({ series, bySlot }) => ({
      series,
      ticks: [...bySlot].map(([slotMs, price]) => ({ slotMs, price })),
    }));
  }

  counts(fromMs: number, toMs: number): HourCount[] {
    return this.all().flatMap(({ series, ticks }) => {
      const inRange = ticks.filter(({ slotMs }) => slotMs >= fromMs && slotMs < toMs);
      const byHour = Map.groupBy(inRange, ({ slotMs }) => hourOf(slotMs));
      return [...byHour].map(([hourMs, { length: count }]) => ({ series, hourMs, count }));
    });
  }
}

/** Candles, moves and ledgers in memory. A kill may cut a bulk write in the middle. */
export class MemoryStore implements SummaryStore {
  readonly candles = new Map<string, Candle>();
  readonly moves = new Map<string, Move>();
  readonly state = new Map<string, SeriesLedger>();
  until: number | undefined;
  unfinished: UnfinishedHour | undefined;
  matched = new Map<number, number>();
  retention: RetentionProgress | undefined;
  /** Hours that indexing has recorded as late, … */
  readonly late = new Set<number>();
  /** … and those that summarising has taken note of. */
  pending: number[] = [];
  writes = 0;
  /** Which single document write kills the process; counted from 1. */
  killAt = Number.POSITIVE_INFINITY;

  #write(change: () => void): void {
    this.writes += 1;
    if (this.writes >= this.killAt) throw new Killed(`killed at write ${this.writes}`);
    change();
  }

  async candlesAround(hourMs: number, market: Market): Promise<Candle[]> {
    const near = ({ startMs, hours, ...series }: Candle) => {
      if (formatMarket(series) !== formatMarket(market)) return false;
      if (hours === 1) return startMs >= hourMs - HOUR_MS && startMs < hourMs + 2 * HOUR_MS;
      return startMs >= dayOf(hourMs) && startMs < dayOf(hourMs) + 2 * DAY_MS;
    };
    return copies([...this.candles.values()].filter(near));
  }

  async candlesOf(series: Series, range: CandleRange): Promise<Candle[]> {
    const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY, limit } = range;
    const found = [...this.candles.values()]
      .filter((candle) => formatSeries(candle) === formatSeries(series))
      .filter(({ startMs }) => startMs >= fromMs && startMs < toMs)
      .sort((a, b) => a.startMs - b.startMs);
    return copies(found.slice(0, limit));
  }

  async withCandles(): Promise<Set<string>> {
    return new Set([...this.candles.values()].map(formatSeries));
  }

  async writeCandles(put: readonly Candle[], remove: readonly Candle[]): Promise<void> {
    for (const candle of copies(put)) this.#write(() => this.candles.set(candleId(candle), candle));
    for (const candle of remove) this.#write(() => this.candles.delete(candleId(candle)));
  }

  async moveIds(
    series: Series,
    { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY },
  ): Promise<string[]> {
    return [...this.moves]
      .filter(([, move]) => formatSeries(move) === formatSeries(series))
      .filter(([, { confirmed_time }]) => {
        const ms = Date.parse(confirmed_time);
        return ms >= fromMs && ms < toMs;
      })
      .map(([id]) => id);
  }

  async writeMoves(put: readonly Move[], removeIds: readonly string[]): Promise<void> {
    for (const move of copies(put)) this.#write(() => this.moves.set(moveId(move), move));
    for (const id of removeIds) this.#write(() => this.moves.delete(id));
  }

  async ledgers(series: readonly Series[]): Promise<Map<string, SeriesLedger>> {
    return new Map(
      series.flatMap((each) => {
        const ledger = this.state.get(formatSeries(each));
        return ledger ? [[formatSeries(each), structuredClone(ledger)] as const] : [];
      }),
    );
  }

  async staleLedgers(limit: number): Promise<SeriesLedger[]> {
    return copies([...this.state.values()].filter(({ stale }) => stale).slice(0, limit));
  }

  async countStale(): Promise<number> {
    return [...this.state.values()].filter(({ stale }) => stale).length;
  }

  async *allLedgers(): AsyncGenerator<SeriesLedger[]> {
    yield copies([...this.state.values()]);
  }

  walkedThresholds(): AsyncGenerator<SeriesLedger[]> {
    return this.allLedgers();
  }

  async writeLedgers(ledgers: readonly SeriesLedger[]): Promise<void> {
    for (const ledger of copies(ledgers)) this.#write(() => this.state.set(formatSeries(ledger), ledger));
  }

  async summarisedUntil(): Promise<number | undefined> {
    return this.until;
  }

  async setSummarisedUntil(ms: number, matched: ReadonlyMap<number, number> = this.matched): Promise<void> {
    this.#write(() => {
      this.until = ms;
      this.matched = new Map(matched);
      this.unfinished = undefined;
    });
  }

  async unfinishedHour(): Promise<UnfinishedHour | undefined> {
    return structuredClone(this.unfinished);
  }

  async setUnfinishedHour(hour: UnfinishedHour): Promise<void> {
    this.#write(() => {
      this.unfinished = structuredClone(hour);
    });
  }

  async matchedTicks(): Promise<Map<number, number>> {
    return new Map(this.matched);
  }

  async retentionProgress(): Promise<RetentionProgress | undefined> {
    return structuredClone(this.retention);
  }

  async setRetentionProgress(progress: RetentionProgress): Promise<void> {
    this.#write(() => {
      this.retention = { ...progress };
    });
  }

  async lateHours(): Promise<number[]> {
    const hours = [...new Set([...this.pending, ...this.late])];
    if (this.late.size > 0) {
      this.#write(() => {
        this.pending = hours;
      });
      this.#write(() => this.late.clear());
    }
    return hours;
  }

  async setLateHours(left: readonly number[]): Promise<void> {
    this.#write(() => {
      this.pending = [...left];
    });
  }

  /** Everything that answers are made from, in a fixed order. */
  documents(): { candles: Candle[]; moves: Move[] } {
    const sorted = <T>(map: Map<string, T>) =>
      [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, document]) => document);
    return { candles: sorted(this.candles), moves: sorted(this.moves) };
  }
}

/** As after a round trip through JSON. */
function copies<T>(documents: readonly T[]): T[] {
  return documents.map((document) => JSON.parse(JSON.stringify(document)));
}

export function countsOf(ticks: MemoryTicks, store: MemoryStore): SampleCounts {
  const candles = (hours: 1 | 24, count: (candle: Candle) => number): HourCount[] =>
    [...store.candles.values()]
      .filter((candle) => candle.hours === hours)
      .map((candle) => ({ series: candle, hourMs: candle.startMs, count: count(candle) }));
  return countsIn({
    ticks: (fromMs, toMs) => ticks.counts(fromMs, toMs),
    samples: () => candles(1, ({ samples }) => samples),
    days: () => candles(24, () => 1),
  });
}

/** Counts of these; those outside the range that is asked for are left out. */
export function countsIn(all: {
  ticks: (fromMs: number, toMs: number) => readonly HourCount[];
  samples: () => readonly HourCount[];
  days: () => readonly HourCount[];
}): SampleCounts {
  const within = (counts: readonly HourCount[], fromMs: number, toMs: number) =>
    counts.filter(({ hourMs }) => hourMs >= fromMs && hourMs < toMs);
  return {
    async tickTotals(fromMs, toMs) {
      const byHour = Map.groupBy(within(all.ticks(fromMs, toMs), fromMs, toMs), ({ hourMs }) => hourMs);
      const totals = [...byHour].map(
        ([hourMs, counts]) => [hourMs, counts.reduce((sum, { count }) => sum + count, 0)] as const,
      );
      return new Map(totals.sort(([a], [b]) => a - b));
    },
    async *tickCounts(fromMs, toMs) {
      yield within(all.ticks(fromMs, toMs), fromMs, toMs);
    },
    async *candleSamples(fromMs, toMs) {
      yield within(all.samples(), fromMs, toMs);
    },
    async *dailyCandles(fromMs, toMs) {
      yield within(all.days(), dayOf(fromMs), toMs);
    },
  };
}

/** The history of one series, as a backfill writes it. */
export interface Recorded {
  series: CandleSeries;
  hours: 1 | 24;
  rows: RecordedPrices[];
}

/**
 * The documents by their definitions: from all ticks of the closed hours and all history at once, with
 * each series' moves from one walk over its whole path.
 */
export function expectedDocuments(
  ticks: MemoryTicks,
  endMs: number,
  recorded: readonly Recorded[] = [],
  settings: SummarySettings = SETTINGS,
): { candles: Candle[]; moves: Move[] } {
  const made = new Map<string, { ticks?: Candle; backfill?: Candle }>();
  for (const { series, ticks: ofSeries } of ticks.all()) {
    const closed = ofSeries.filter(({ slotMs }) => slotMs < endMs);
    for (const [hourMs, ofHour] of Map.groupBy(closed, ({ slotMs }) => hourOf(slotMs))) {
      const candle = candleFromTicks(series, hourMs, ofHour);
      made.set(candleId(candle), { ticks: candle });
    }
  }
  for (const { series, hours, rows } of recorded) {
    for (const row of rows) {
      const candle = candleFromHistory(series, row, hours);
      made.set(candleId(candle), { ...made.get(candleId(candle)), backfill: candle });
    }
  }
  const chosen = new Map<string, Candle>();
  for (const [id, each] of made) {
    const pollsDue = HOUR_MS / 900_000;
    const candle = chooseCandle({ ...each, pollsDue });
    if (candle) chosen.set(id, candle);
  }
  // A daily candle stands unless the day has an hourly one that is recorded or made of at least 2 of the 4 ticks due.
  const dayOfCandle = (candle: Candle) => `${formatSeries(candle)} ${dayOf(candle.startMs)}`;
  const hourly = [...chosen.values()].filter(({ hours }) => hours === 1);
  const wellSampled = hourly.filter(({ source, samples }) => source === 'backfill' || samples >= 2);
  const hourlyDays = new Set(wellSampled.map(dayOfCandle));
  const daily = [...chosen.values()].filter(({ hours }) => hours === 24);
  const dailyDays = new Set(daily.map(dayOfCandle).filter((day) => !hourlyDays.has(day)));
  for (const [id, candle] of chosen) {
    if (dailyDays.has(dayOfCandle(candle)) !== (candle.hours === 24)) chosen.delete(id);
  }
  const candles = [...chosen.values()].map((candle) => {
    const beforeMs = candle.startMs - candle.hours * HOUR_MS;
    return withLogReturn(candle, chosen.get(candleId({ ...candle, startMs: beforeMs })));
  });
  const moves = [...Map.groupBy(candles, formatSeries).values()].flatMap((ofSeries) => {
    const path = ofSeries
      .toSorted((a, b) => a.startMs - b.startMs)
      .flatMap((candle) =>
        candle.path.map(([offsetMs, price]) => [candle.startMs + offsetMs, price] as const),
      );
    const [first] = ofSeries;
    return first
      ? settings.thresholds.flatMap((threshold) =>
          movesOf(path, threshold).map((move) => moveOf(first, move)),
        )
      : [];
  });
  const store = new MemoryStore();
  for (const candle of copies(candles)) store.candles.set(candleId(candle), candle);
  for (const move of copies(moves)) store.moves.set(moveId(move), move);
  return store.documents();
}
