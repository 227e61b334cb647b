import * as z from 'zod';
import { readCandleAnswer } from '../../../exchanges/http/candle-source.ts';
import { pairBySpelling } from '../../../exchanges/registry.ts';
import type { CandleObject } from '../../lake/candle-objects.ts';
import {
  type CandleHours,
  type CandleSeries,
  candleFromHistory,
  type RecordedPrices,
} from '../../market/candle.ts';
import { DAY_MS, dayOf } from '../../market/time.ts';
import type { CandleStore, LedgerStore, MoveStore } from '../../summarise/ports.ts';
import type { SummarySettings } from '../../summarise/settings.ts';
import { type WrittenCandles, writeCandles } from '../../summarise/write-candles.ts';

/** A row of history: `[start in epoch ms, open, high, low, close, volume]`; null where nobody told the volume. */
export type CandleRow = [
  startMs: number,
  open: number,
  high: number,
  low: number,
  close: number,
  volume: number | null,
];

const price = z.number().positive();
export const candleRow = z
  .tuple([z.number().int().nonnegative(), price, price, price, price, z.number().nonnegative().nullable()])
  .refine(([, open, high, low, close]) => low <= Math.min(open, close) && high >= Math.max(open, close), {
    error: 'expected low <= open, close <= high',
  });

/** The prices that a row holds. */
export function pricesOf([startMs, open, high, low, close]: CandleRow): RecordedPrices {
  return { startMs, open, high, low, close };
}

/**
 * Writes one series' recorded candles beside what is there; the moves that follow are made by `makeMovesAgain`.
 * @param given without base and quote where nobody told them: then the symbol's spelling has to
 * @param rows in time order
 */
export async function writeRecorded(
  given: CandleSeries,
  hours: CandleHours,
  rows: readonly RecordedPrices[],
  settings: SummarySettings,
  store: CandleStore & MoveStore & LedgerStore,
): Promise<WrittenCandles> {
  const first = rows[0];
  const last = rows.at(-1);
  if (!first || !last) return { candles: 0, moves: 0 };
  const { exchange, category, symbol } = given;
  const name = { exchange, category, symbol };
  const { base, quote } = given.base && given.quote ? given : pairBySpelling(name);
  const series: CandleSeries = { ...name, ...(base ? { base } : {}), ...(quote ? { quote } : {}) };
  const proposals = rows.map((row) => candleFromHistory(series, row, hours));
  const existing = await store.candlesOf(name, {
    fromMs: dayOf(first.startMs) - DAY_MS,
    // The day after may have a candle that is linked to the last one's.
    toMs: dayOf(last.startMs) + 3 * DAY_MS,
  });
  return writeCandles(proposals, existing, 'later', settings, store);
}

/**
 * The candles in an object of the lake, in time order.
 * @throws Error where its content is not what its name says
 */
export function readCandleObject(object: CandleObject, content: string): RecordedPrices[] {
  const { format, symbol, firstMs, lastMs } = object;
  if (format === 'rows') {
    const lines = content.split('\n').filter((line) => line !== '');
    return lines.map((line) => pricesOf(candleRow.parse(JSON.parse(line))));
  }
  // An answer is kept unchanged. It may contain hours that were not requested, or not closed.
  return readCandleAnswer(format, symbol, JSON.parse(content)).filter(
    ({ startMs }) => startMs >= firstMs && startMs <= lastMs,
  );
}
