import { isRepairable, type LedgerEntry } from '../../completeness/ledger.ts';
import { SourceError, SourceRefusedError } from '../../ingest/source-errors.ts';
import { SILENCE_MS } from '../../insights/ended.ts';
import { rowsObject } from '../../lake/candle-rows.ts';
import { formatSeries, type Series } from '../../market/series.ts';
import { HOUR_MS } from '../../market/time.ts';
import type { Window } from '../../market/window.ts';
import type { SummaryStore } from '../../summarise/ports.ts';
import { writePage } from '../backfill/exchange-pages.ts';
import { PATIENCE_MS, waitAsAsked } from '../backfill/rate-limit.ts';
import { addProblems, type OperationServices } from '../operation.ts';
import type { SeriesLedgerOf } from './series-ledger.ts';

/** What a repair did, in one slice. */
export interface Repaired {
  /** Requests to exchanges. */
  requests: number;
  /** Candles that are new or changed. */
  candles: number;
  moves: number;
  /** Hours that the exchange was asked for and has no candle of. They are not asked for again. */
  unavailable: number;
  /** What could not be done. */
  problems: string[];
}

export interface RepairLimits {
  /** Requests that are left. */
  requests: number;
  hasTime: () => boolean;
  /** How long to wait for an exchange that asks to, epoch ms. */
  deadlineMs: number;
}

/** How a series' repair ended: `limited`: time or requests ran out; `skipped`: its exchange cannot be asked now. */
export type RepairEnd = 'done' | 'limited' | 'skipped';

export interface RepairGiven {
  store: SummaryStore;
  /** Names what is written, so that it can be undone. */
  run: string;
  /** Replaces the exchange's own base URL. */
  baseUrl: string | undefined;
  limits: RepairLimits;
  /** Exchanges that cannot be asked for now. */
  skipped: Set<string>;
  output: Repaired;
}

/**
 * Fills holes with an exchange's own candles, as a backfill does. What it was asked for is kept in the lake, even if it has
 * nothing.
 */
export class Repair {
  readonly #services: OperationServices;
  readonly #given: RepairGiven;

  constructor(services: OperationServices, given: RepairGiven) {
    this.#services = services;
    this.#given = given;
  }

  async series(series: Series, { entries, lastMs }: SeriesLedgerOf): Promise<RepairEnd> {
    const { exchange, category } = series;
    const windows = repairableWindows(entries);
    if (windows.length === 0) return 'done';
    if (this.#given.skipped.has(exchange)) return 'skipped';
    if (this.#services.exchangeCandles.whyNone(exchange, category, this.#given.baseUrl) !== undefined)
      return 'done';
    const { pageHours } = this.#services.exchangeCandles.source(exchange, this.#given.baseUrl);
    for (const { fromMs, toMs } of windows) {
      for (let firstMs = fromMs; firstMs < toMs; firstMs += pageHours * HOUR_MS) {
        const page = { fromMs: firstMs, toMs: Math.min(firstMs + pageHours * HOUR_MS, toMs) };
        if (this.#given.limits.requests <= 0 || !this.#given.limits.hasTime()) return 'limited';
        const end = await this.#page(series, page, lastMs);
        if (end !== 'done') return end;
      }
    }
    return 'done';
  }

  async #page(series: Series, window: Window, lastMs: number): Promise<RepairEnd> {
    const { exchangeCandles, now, log } = this.#services;
    const source = exchangeCandles.source(series.exchange, this.#given.baseUrl);
    const hours = (window.toMs - window.fromMs) / HOUR_MS;
    this.#given.limits.requests -= 1;
    this.#given.output.requests += 1;
    try {
      const page = await source.page({ ...series, ...window }, now() + PATIENCE_MS);
      const writing = { ...this.#services, source, store: this.#given.store, run: this.#given.run };
      if (page.rows.length > 0) {
        const written = await writePage(series, window, page, writing);
        this.#given.output.candles += written.candles;
        this.#given.output.moves += written.moves;
      }
      if (page.rows.length < hours) await this.#markAsked(series, window, hours - page.rows.length);
      return 'done';
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      if (error instanceof SourceRefusedError) {
        await this.#refused(series, window, lastMs, error);
        return 'done';
      }
      try {
        await waitAsAsked(error, this.#given.limits.deadlineMs, this.#services);
        return 'limited';
      } catch {
        log.warn('An exchange could not be asked for candles', { error });
        addProblems(this.#given.output, [`${series.exchange} cannot be asked now: ${error.message}`]);
        this.#given.skipped.add(series.exchange);
        return 'skipped';
      }
    }
  }

  /**
   * An exchange refuses symbols that it no longer knows. If the series still has data, there may be another
   * reason.
   */
  async #refused(series: Series, window: Window, lastMs: number, error: SourceError): Promise<void> {
    if (lastMs > this.#services.now() - SILENCE_MS) {
      addProblems(this.#given.output, [`${formatSeries(series)}: ${error.message}`]);
      return;
    }
    await this.#markAsked(series, window, (window.toMs - window.fromMs) / HOUR_MS);
  }

  /** Only after the candles are written, so that a run that is killed earlier asks again. */
  async #markAsked(series: Series, { fromMs, toMs }: Window, unavailableHours: number): Promise<void> {
    const { object, content } = rowsObject(series, 1, [], this.#given.run);
    await this.#services.candleHistory.put({ ...object, firstMs: fromMs, lastMs: toMs - HOUR_MS }, content);
    this.#given.output.unavailable += unavailableHours;
  }
}

/** The runs of hours that an exchange's candles may fill, whatever their states. */
export function repairableWindows(entries: readonly LedgerEntry[]): Window[] {
  const windows: Window[] = [];
  for (const { fromMs, toMs } of entries.filter(isRepairable)) {
    const last = windows.at(-1);
    if (last?.toMs === fromMs) last.toMs = toMs;
    else windows.push({ fromMs, toMs });
  }
  return windows;
}
