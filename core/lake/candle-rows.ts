import * as z from 'zod';
import { areInOrder, type CandleSeries, EXPECTED_ORDER, type RecordedPrices } from '../market/candle.ts';
import type { CandleHours } from '../market/price-path.ts';
import type { CandleObject } from './candle-objects.ts';

/**
 * One candle of history: `[start in epoch ms, open, high, low, close, volume, turnover]`. Volume is in the base currency
 * and null if unknown; turnover is in the quote currency and left out if unknown.
 */
export type CandleRow = [
  startMs: number,
  open: number,
  high: number,
  low: number,
  close: number,
  volume: number | null,
  turnover?: number | undefined,
];

const price = z.number().positive();
const amount = z.number().nonnegative();
export const candleRow = z
  .tuple([z.number().int().nonnegative(), price, price, price, price, amount.nullable(), amount.optional()])
  .refine((row) => areInOrder(pricesOf(row)), EXPECTED_ORDER);

export function pricesOf([startMs, open, high, low, close, volume, turnover]: CandleRow): RecordedPrices {
  return {
    ...{ startMs, open, high, low, close },
    ...(volume === null ? {} : { volume }),
    ...(turnover === undefined ? {} : { turnover }),
  };
}

/** The object that keeps rows (at least one, in time order), and its content. */
export function rowsObject(
  series: CandleSeries,
  hours: CandleHours,
  rows: readonly CandleRow[],
): { object: CandleObject; content: string } {
  const [firstMs, lastMs] = [rows[0]?.[0] ?? 0, rows.at(-1)?.[0] ?? 0];
  return {
    object: { ...series, hours, firstMs, lastMs, format: 'rows' },
    content: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  };
}

/** The reverse of {@link rowsObject}. @throws where the content is not rows */
export function parseRows(content: string): RecordedPrices[] {
  const lines = content.split('\n').filter((line) => line !== '');
  return lines.map((line) => pricesOf(candleRow.parse(JSON.parse(line))));
}
