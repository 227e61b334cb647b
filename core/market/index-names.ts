/**
 * The OpenSearch indices, which stores, roles and charts share. A document's index follows from its time, never from
 * a rollover, so an id always lands in the same index.
 */

import type { Window } from './window.ts';

/** Every monthly index of tickers, as a pattern. */
export const TICKER_INDICES = 'tickers-*';
/** Every yearly index of candles, as a pattern. */
export const CANDLE_INDICES = 'candles-*';
/** Moves at the configured thresholds. */
export const MOVES_INDEX = 'moves';
/** What summarising remembers between runs: ledgers, its progress, and the lease. */
export const SUMMARY_STATE_INDEX = 'summaries-state';
/** Hours whose ticks came late. It is the only index of the summaries that the index function writes. */
export const LATE_HOURS_INDEX = 'summaries-late';

/** The monthly index of a ticker, by its slot (ISO 8601 UTC). */
export function tickerIndexOf(slot: string): string {
  return `tickers-${slot.slice(0, 4)}.${slot.slice(5, 7)}`;
}

/** @param month `YYYY.MM` */
export function tickerIndexOfMonth(month: string): string {
  return `tickers-${month}`;
}

/** `YYYY.MM`; undefined for any other index. */
export function monthOfTickerIndex(index: string): string | undefined {
  return /^tickers-(\d{4}\.\d{2})$/.exec(index)?.[1];
}

/** The slots of a month, epoch ms. @param month `YYYY.MM` */
export function monthWindow(month: string): Window {
  const [year = 0, number = 0] = month.split('.').map(Number);
  return { fromMs: Date.UTC(year, number - 1), toMs: Date.UTC(year, number) };
}

/** The yearly index of a candle, by its start (epoch ms). */
export function candleIndexOf(startMs: number): string {
  return `candles-${new Date(startMs).getUTCFullYear()}`;
}
