import type { Absence } from '../../../../core/completeness/absence.ts';
import { highest, lowest } from '../../../../core/insights/extremes.ts';
import { ALL_TIME } from '../../../../core/insights/history.ts';
import type {
  ChangePercentiles,
  ChangeStore,
  CurrencySeries,
  HourOfSeries,
  InsightStores,
  MarketStore,
  MoveCount,
  Scope,
  SeriesCatalogue,
  SeriesExtent,
  SeriesStore,
  SeriesTotals,
} from '../../../../core/insights/ports.ts';
import { returnsOf } from '../../../../core/insights/returns.ts';
import {
  type Candle,
  type CandleSeries,
  candleEndMs,
  type PathlessCandle,
  type PriceTick,
} from '../../../../core/market/candle.ts';
import { formatSeries, type Market } from '../../../../core/market/series.ts';
import { hourOf } from '../../../../core/market/time.ts';
import { type Trade, tradeOfCandle } from '../../../../core/market/turnover.ts';
import { isIn, type Window } from '../../../../core/market/window.ts';

interface StoredTick extends PriceTick {
  series: CandleSeries;
  turnover?: number;
}

/** All insight stores in memory; remembers which ticks were read. */
export class InMemoryStore implements SeriesStore, SeriesCatalogue, MarketStore, ChangeStore {
  readonly stored: Candle[];
  readonly storedTicks: StoredTick[];
  /** Reported until the window's end unless they say otherwise. */
  changes: (Omit<ChangePercentiles, 'lastMs'> & { lastMs?: number })[] = [];
  moves: MoveCount[] = [];
  /** Windows whose ticks were read. */
  asked: Window[] = [];

  constructor(candles: readonly Candle[], ticks: readonly StoredTick[] = []) {
    this.stored = [...candles].sort((a, b) => a.startMs - b.startMs);
    this.storedTicks = [...ticks].sort((a, b) => a.slotMs - b.slotMs);
  }

  asStores(): InsightStores {
    return { series: this, catalogue: this, market: this, changes: this };
  }

  async candles(series: CandleSeries, window: Window) {
    return this.stored.filter(
      (candle) => formatSeries(candle) === formatSeries(series) && isIn(window, candle.startMs),
    );
  }

  async pathlessCandles(series: CandleSeries, window: Window): Promise<PathlessCandle[]> {
    return (await this.candles(series, window)).map(({ path: _, ...candle }) => candle);
  }

  async candleBefore(series: CandleSeries, timeMs: number) {
    return (await this.pathlessCandles(series, { fromMs: 0, toMs: timeMs })).at(-1);
  }

  async ticks(series: CandleSeries, windows: readonly Window[]) {
    this.asked.push(...windows);
    return this.#ticksIn(series, windows);
  }

  async span(series: CandleSeries) {
    const extent = (await this.extents({})).find(
      (each) => formatSeries(each.series) === formatSeries(series),
    );
    return extent && { fromMs: extent.firstMs, toMs: extent.endMs };
  }

  async quote(series: CandleSeries) {
    return this.stored.findLast((candle) => formatSeries(candle) === formatSeries(series) && candle.quote)
      ?.quote;
  }

  /** Nobody noticed anything but the polls themselves. */
  async absence(series: CandleSeries): Promise<Absence> {
    const market = ({ exchange, category }: Market) =>
      exchange === series.exchange && category === series.category;
    const candles = this.stored.filter((candle) => market(candle) && candle.samples > 0);
    const ticks = this.storedTicks.filter((tick) => market(tick.series));
    const times = [...candles.map(({ startMs }) => startMs), ...ticks.map(({ slotMs }) => slotMs)];
    const polls = times.length === 0 ? undefined : { firstMs: lowest(times), lastMs: highest(times) };
    return { notListed: [], exchangeDown: new Set(), polls };
  }

  async withSymbol(symbol: string, scope: Scope) {
    return this.#series(scope).filter((one) => one.symbol.toUpperCase() === symbol.toUpperCase());
  }

  async ofCurrency(currency: string, scope: Scope): Promise<CurrencySeries[]> {
    const turnovers = new Map(
      this.storedTicks.map(({ series, turnover }) => [formatSeries(series), turnover]),
    );
    return this.#series(scope)
      .filter(({ base }) => base?.toUpperCase() === currency.toUpperCase())
      .map((series) => {
        const turnover = turnovers.get(formatSeries(series));
        return turnover === undefined ? series : { ...series, turnover };
      });
  }

  async names(scope: Scope) {
    return this.#series(scope).map(({ symbol }) => symbol);
  }

  async totalsBySeries(scope: Scope, window: Window): Promise<SeriesTotals[]> {
    const found = this.#candlesIn(scope, window);
    return [...Map.groupBy(found, formatSeries).values()].flatMap((candles) => {
      const [series] = candles;
      if (!series) return [];
      return [
        {
          series,
          hours: candles.reduce((sum, { hours }) => sum + hours, 0),
          low: Math.min(...candles.map(({ low }) => low)),
          high: Math.max(...candles.map(({ high }) => high)),
          lastMs: candles.at(-1)?.startMs ?? 0,
          returns: returnsOf(candles),
        },
      ];
    });
  }

  async extents(scope: Scope, window: Window = ALL_TIME): Promise<SeriesExtent[]> {
    const found = this.#candlesIn(scope, window);
    return [...Map.groupBy(found, formatSeries).values()].map((candles) => {
      const [first, last] = [candles[0], candles.at(-1)] as [Candle, Candle];
      return {
        series: first,
        firstMs: first.startMs,
        lastMs: last.startMs,
        endMs: candleEndMs(last),
        hours: candles.reduce((sum, { hours }) => sum + hours, 0),
      };
    });
  }

  async lastSummarisedHour(scope: Scope, window: Window) {
    const last = this.#candlesIn(scope, window).findLast(({ samples }) => samples > 0);
    return last?.startMs;
  }

  async hoursFromCandles(scope: Scope, { fromMs, toMs }: Window): Promise<HourOfSeries[]> {
    return this.stored.filter((candle) => {
      const { startMs } = candle;
      const reachesIn = candle.hours === 24 && startMs < fromMs && candleEndMs(candle) > fromMs;
      return inScope(candle, scope) && (isIn({ fromMs, toMs }, startMs) || reachesIn);
    });
  }

  async hoursFromTicks(scope: Scope, window: Window): Promise<HourOfSeries[]> {
    this.asked.push(window);
    const found = this.storedTicks.filter(
      ({ series, slotMs }) => inScope(series, scope) && isIn(window, slotMs),
    );
    const byHour = Map.groupBy(found, ({ series, slotMs }) => `${formatSeries(series)} ${hourOf(slotMs)}`);
    return [...byHour.values()].map((ticks) => {
      const prices = ticks.map(({ price }) => price);
      const [first] = ticks as [StoredTick];
      return {
        ...first.series,
        startMs: hourOf(first.slotMs),
        hours: 1,
        low: Math.min(...prices),
        high: Math.max(...prices),
        close: prices.at(-1) as number,
      };
    });
  }

  async tickTrades(): Promise<Trade[]> {
    const newest = new Map(this.storedTicks.map((tick) => [formatSeries(tick.series), tick]));
    return [...newest.values()].map(({ series, price, turnover }) => ({
      ...series,
      price,
      ...(turnover === undefined ? {} : { turnover }),
    }));
  }

  async candleTrades(window: Window): Promise<Trade[][]> {
    const found = this.stored.filter(({ startMs }) => isIn(window, startMs));
    return [...Map.groupBy(found, ({ startMs }) => startMs).values()].map((ofHour) =>
      ofHour.map(tradeOfCandle),
    );
  }

  async moveCounts(): Promise<MoveCount[]> {
    return this.moves;
  }

  async changePercentiles(_: Scope, { toMs }: Window): Promise<ChangePercentiles[]> {
    return this.changes.map((each) => ({ lastMs: toMs - 1, ...each }));
  }

  #ticksIn(series: CandleSeries, windows: readonly Window[]): StoredTick[] {
    return this.storedTicks.filter(
      (tick) =>
        formatSeries(tick.series) === formatSeries(series) &&
        windows.some((window) => isIn(window, tick.slotMs)),
    );
  }

  #candlesIn(scope: Scope, window: Window): Candle[] {
    return this.stored.filter((candle) => inScope(candle, scope) && isIn(window, candle.startMs));
  }

  #series(scope: Scope): CandleSeries[] {
    const all = [...this.stored, ...this.storedTicks.map(({ series }) => series)];
    const found = all.filter((series) => inScope(series, scope));
    return [...new Map(found.map((series) => [formatSeries(series), series])).values()];
  }
}

function inScope(series: CandleSeries, { exchange, category }: Scope): boolean {
  const isNamed = exchange === undefined ? series.exchange !== 'archive' : series.exchange === exchange;
  return isNamed && (category === undefined || series.category === category);
}
