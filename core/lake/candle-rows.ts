import * as z from 'zod';
import { areInOrder, type CandleSeries, EXPECTED_ORDER, type RecordedPrices } from '../market/candle.ts';
import type { CandleHours, PathPoint } from '../market/price-path.ts';
import { DAY_MS } from '../market/time.ts';
import type { CandleObject } from './candle-objects.ts';

/**
 * One candle of history: `[start in epoch ms, open, high, low, close, volume, turnover, path]`. Volume is in the base
 * currency and null if unknown; turnover is in the quote currency, null or left out if unknown. The path,
 * `[[ms since the start, price], …]`, is left out unless the history is finer than the candle.
 */
export type CandleRow = [
  startMs: number,
  open: number,
  high: number,
  low: number,
  close: number,
  volume: number | null,
  turnover?: number | null | undefined,
  path?: PathPoint[] | undefined,
];

const price = z.number().positive();
const amount = z.number().nonnegative();
const path = z.array(z.tuple([z.number().int().nonnegative().lt(DAY_MS), price])).min(1);
export const candleRow = z
  .tuple([
    z.number().int().nonnegative(),
    ...([price, price, price, price] as const),
    ...([amount.nullable(), amount.nullish(), path.optional()] as const),
  ])
  .refine((row) => areInOrder(pricesOf(row)), EXPECTED_ORDER);

export function pricesOf([
  startMs,
  open,
  high,
  low,
  close,
  volume,
  turnover,
  path,
]: CandleRow): RecordedPrices {
  return {
    ...{ startMs, open, high, low, close },
    ...(volume === null ? {} : { volume }),
    ...(turnover === undefined || turnover === null ? {} : { turnover }),
    ...(path === undefined ? {} : { path }),
  };
}

/** The object that keeps rows (at least one, in time order), and its content. */
export function rowsObject(
  series: CandleSeries,
  hours: CandleHours,
  rows: readonly CandleRow[],
  run: string | undefined,
): { object: CandleObject; content: string } {
  const [firstMs, lastMs] = [rows[0]?.[0] ?? 0, rows.at(-1)?.[0] ?? 0];
  return {
    object: { ...series, hours, firstMs, lastMs, format: 'rows', ...(run ? { run } : {}) },
    content: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  };
}

/** The reverse of {@link rowsObject}. @throws where the content is not rows */
export function parseRows(content: string): RecordedPrices[] {
  const lines = content.split('\n').filter((line) => line !== '');
  return lines.map((line) => pricesOf(candleRow.parse(JSON.parse(line))));
}
