import type { Absence } from '../../completeness/absence.ts';
import { type LedgerCandle, type LedgerEntry, ledgerOf } from '../../completeness/ledger.ts';
import { RecordedParts } from '../../completeness/recorded.ts';
import { SILENCE_MS } from '../../insights/ended.ts';
import { extentOf, gapsBetween } from '../../insights/history.ts';
import { tickersDayPrefix } from '../../lake/ticker-objects.ts';
import { pollsDueInHour, samplingIntervalOf } from '../../market/sampling.ts';
import { formatMarket, type Market, type Series } from '../../market/series.ts';
import { DAY_MS, dayOf, HOUR_MS } from '../../market/time.ts';
import type { Window } from '../../market/window.ts';
import type { OperationServices } from '../operation.ts';
import type { LakeObjects, RecordedHours } from '../ports.ts';

type LedgerServices = Pick<
  OperationServices,
  'completeness' | 'candleHistory' | 'lake' | 'summaries' | 'exchanges'
>;

/** The completeness ledger of one series. */
export interface SeriesLedgerOf {
  entries: LedgerEntry[];
  /** The end of its last hour with data, epoch ms; 0 if it has none. */
  lastMs: number;
}

/** Makes the completeness ledgers of one series after the other. */
export class SeriesLedgers {
  readonly #services: LedgerServices;
  readonly #polled: PolledHours;

  constructor(services: LedgerServices) {
    this.#services = services;
    this.#polled = new PolledHours(services.lake);
  }

  /**
   * @param known what its candles add up to, if it has any in the window
   * @param window whole hours. Without `fromMs`, it begins with the series' first hour
   * @param read reads its candles. @default from the index, unless they are complete
   */
  async of(
    series: Series,
    known: RecordedHours | undefined,
    window: { fromMs: number | undefined; toMs: number },
    read?: (window: Window) => Promise<LedgerCandle[]>,
  ): Promise<SeriesLedgerOf> {
    const { completeness, candleHistory, summaries } = this.#services;
    const absence = await completeness.absence(series);
    const last = known ?? (await this.#before(series, window.fromMs));
    const lastMs = last ? last.lastMs + HOUR_MS : 0;
    const whole = {
      fromMs: window.fromMs ?? known?.firstMs ?? window.toMs,
      toMs: this.#isExpected(series, lastMs, absence) ? window.toMs : Math.min(window.toMs, lastMs),
    };
    if (whole.fromMs >= whole.toMs) return { entries: [], lastMs };
    if (!read && known?.areWhole && known.hours * HOUR_MS === whole.toMs - whole.fromMs) {
      return { entries: [{ ...whole, state: 'present' }], lastMs };
    }
    // A daily candle of the day may cover the first hours.
    const around = { fromMs: dayOf(whole.fromMs), toMs: whole.toMs };
    const candles = await (read?.(around) ?? completeness.candles(series, around));
    const gaps = gapsBetween(candles.map(extentOf), whole);
    const [isPolled, objects] = await Promise.all([
      this.#polled.in(series, gaps, absence.polls?.firstMs ?? Number.POSITIVE_INFINITY),
      candleHistory.list(series),
    ]);
    const parts = new RecordedParts(objects.map(({ object }) => object));
    const intervalMs = samplingIntervalOf(series, summaries.samplingIntervals);
    const entries = ledgerOf(candles, whole, {
      absence,
      pollsDueIn: (hourMs) => pollsDueInHour(hourMs, intervalMs),
      originOf: (candle) => parts.originOf(candle),
      isPolled,
      isAsked: (hourMs) => parts.isAsked(hourMs),
    });
    return { entries, lastMs };
  }

  /**
   * Whether data is expected after a series' last hour: not if it is not polled, such as data from a file, or
   * if it has ended unannounced.
   */
  #isExpected({ exchange }: Market, lastMs: number, { polls, notListed }: Absence): boolean {
    const isPolled = this.#services.exchanges?.includes(exchange) ?? true;
    if (!isPolled || !polls) return false;
    return notListed.at(-1)?.toMs === Number.POSITIVE_INFINITY || lastMs >= polls.lastMs - SILENCE_MS;
  }

  async #before(series: Series, untilMs: number | undefined): Promise<RecordedHours | undefined> {
    if (untilMs === undefined) return undefined;
    const [found] = await this.#services.completeness.recorded([series], { fromMs: 0, toMs: untilMs });
    return found;
  }
}

/** Which hours of a market have a batch in the lake. Remembers one market: its series come one after the other. */
class PolledHours {
  readonly #lake: Pick<LakeObjects, 'folders'>;
  #market = '';
  /** The folders of hours, by day (epoch ms). */
  #days = new Map<number, Promise<readonly string[]>>();

  constructor(lake: Pick<LakeObjects, 'folders'>) {
    this.#lake = lake;
  }

  /** @param firstMs before it there is none, epoch ms */
  async in(
    market: Market,
    windows: readonly Window[],
    firstMs: number,
  ): Promise<(hourMs: number) => boolean> {
    if (formatMarket(market) !== this.#market) this.#days = new Map();
    this.#market = formatMarket(market);
    const hours = new Map<number, readonly string[]>();
    for (const { fromMs, toMs } of windows) {
      for (let dayMs = dayOf(Math.max(fromMs, Math.min(firstMs, toMs))); dayMs < toMs; dayMs += DAY_MS) {
        if (!hours.has(dayMs)) hours.set(dayMs, await this.#hoursOf(market, dayMs));
      }
    }
    return (hourMs) => {
      const folder = `${tickersDayPrefix(market, hourMs)}hour=${new Date(hourMs).toISOString().slice(11, 13)}/`;
      return hours.get(dayOf(hourMs))?.includes(folder) ?? false;
    };
  }

  #hoursOf(market: Market, dayMs: number): Promise<readonly string[]> {
    const known = this.#days.get(dayMs) ?? this.#lake.folders(tickersDayPrefix(market, dayMs));
    this.#days.set(dayMs, known);
    return known;
  }
}
