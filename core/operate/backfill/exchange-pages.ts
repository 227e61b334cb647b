import type { Series } from '../../market/series.ts';
import { HOUR_MS, hourOf } from '../../market/time.ts';
import type { Window } from '../../market/window.ts';
import type { SummaryStore } from '../../summarise/ports.ts';
import type { WrittenCandles } from '../../summarise/write-candles.ts';
import { OperationInputError, type OperationServices } from '../operation.ts';
import type { CandlePage, CandleSource } from '../ports.ts';
import type { FetchInput } from './input.ts';
import { PATIENCE_MS, waitAsAsked } from './rate-limit.ts';
import {
  movedNote,
  seriesNamed,
  seriesWithPair,
  type WrittenPart,
  writeRecorded,
} from './recorded-candles.ts';

/** The exchange no longer has any of the requested candles. */
export class CandlesNotKeptError extends Error {
  override readonly name = 'CandlesNotKeptError';
}

/** The pages of an exchange's candles: symbol by symbol, in time order. */
export class ExchangePages {
  readonly total: number;
  readonly #input: FetchInput;
  readonly #services: OperationServices;
  readonly #deadlineMs: number;
  readonly #source: CandleSource;
  readonly #fromMs: number;
  readonly #toMs: number;
  readonly #pagesPerSymbol: number;

  /**
   * @param deadlineMs how long to wait for an exchange that asks to, epoch ms
   * @throws OperationInputError if the exchange has no such candles
   */
  constructor(input: FetchInput, services: OperationServices, deadlineMs: number) {
    const { exchange, category, symbols, baseUrl } = input;
    const whyNone = services.exchangeCandles.whyNone(exchange, category, baseUrl);
    if (whyNone !== undefined) throw new OperationInputError(`backfill: ${whyNone}`);
    this.#input = input;
    this.#services = services;
    this.#deadlineMs = deadlineMs;
    this.#source = services.exchangeCandles.source(exchange, baseUrl);
    this.#fromMs = hourOf(Date.parse(input.from));
    this.#toMs = hourOf(Date.parse(input.to));
    const hours = Math.max(0, (this.#toMs - this.#fromMs) / HOUR_MS);
    this.#pagesPerSymbol = Math.ceil(hours / this.#source.pageHours);
    this.total = symbols.length * this.#pagesPerSymbol;
  }

  /** Fetches a page, keeps it in the lake as of this run, and writes its candles. @returns undefined if the exchange asked to wait */
  async write(
    position: number,
    store: SummaryStore,
    run: string | undefined,
  ): Promise<WrittenPart | undefined> {
    try {
      return await this.#write(position, store, run);
    } catch (error) {
      await waitAsAsked(error, this.#deadlineMs, this.#services);
      return undefined;
    }
  }

  async #write(position: number, store: SummaryStore, run: string | undefined): Promise<WrittenPart> {
    const { pageHours, keptCandles } = this.#source;
    const { exchange, category, symbols } = this.#input;
    const symbol = symbols[Math.floor(position / this.#pagesPerSymbol)] as string;
    const firstMs = this.#fromMs + (position % this.#pagesPerSymbol) * pageHours * HOUR_MS;
    const toMs = Math.min(firstMs + pageHours * HOUR_MS, this.#toMs);
    const range = { fromMs: firstMs, toMs };
    const page = await this.#source.page({ category, symbol, ...range }, this.#services.now() + PATIENCE_MS);
    const { rows, moved, keptFromMs } = page;
    const note =
      keptFromMs === undefined
        ? undefined
        : `${exchange} ${symbol}: the exchange only serves the last ${keptCandles} hours, from ${new Date(keptFromMs).toISOString()} on. Older ones have to come from a file (--file).`;
    if (note && rows.length === 0) throw new CandlesNotKeptError(note);
    const series = { exchange, category, symbol };
    const written =
      rows.length === 0
        ? { candles: 0, moves: 0, removed: 0 }
        : await writePage(series, range, page, { ...this.#services, source: this.#source, store, run });
    const notes = [...(note === undefined ? [] : [note]), ...movedNote(series, moved, range)];
    return { ...written, read: rows.length, hours: (toMs - firstMs) / HOUR_MS, notes };
  }
}

export interface PageWriting
  extends Pick<OperationServices, 'candleHistory' | 'exchangeCandles' | 'summaries'> {
  source: Pick<CandleSource, 'format'>;
  store: SummaryStore;
  run: string | undefined;
}

/** Keeps an exchange's answer in the lake, under the range that it was asked for, and writes its candles. */
export async function writePage(
  asked: Series,
  { fromMs, toMs }: Window,
  { raw, rows, pair }: Pick<CandlePage, 'raw' | 'rows' | 'pair'>,
  { candleHistory, exchangeCandles, summaries, source, store, run }: PageWriting,
): Promise<WrittenCandles> {
  const series = seriesNamed(asked, pair);
  const object = { ...series, hours: 1 as const, firstMs: fromMs, lastMs: toMs - HOUR_MS };
  await candleHistory.put({ ...object, format: source.format, run }, JSON.stringify(raw));
  return writeRecorded(seriesWithPair(series, exchangeCandles), 1, rows, summaries, store);
}
