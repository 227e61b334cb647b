import * as z from 'zod';
import { HOUR_MS, LATEST_MS } from '../../core/market/time.ts';
import type { ExchangeCandle } from '../exchange.ts';
import { epochMs, readDecimal } from './fields.ts';

const price = z.unknown().transform((raw, context) => {
  const reading = readDecimal(raw);
  if ('value' in reading && reading.value !== undefined && reading.value > 0) return reading.value;
  context.addIssue('reason' in reading ? reading.reason : 'expected a price above 0');
  return z.NEVER;
});

const candle = z
  .object({
    startMs: z
      .number('expected a time')
      .max(LATEST_MS, 'expected a time')
      .refine((ms) => ms % HOUR_MS === 0, 'does not start on the hour'),
    open: price,
    high: price,
    low: price,
    close: price,
  })
  .refine(({ open, high, low, close }) => low <= Math.min(open, close) && high >= Math.max(open, close), {
    error: 'expected low <= open, close <= high',
  });

/** What an element of a row means. */
type Column = 'open' | 'high' | 'low' | 'close';

/**
 * A list of rows that begin with the start of the hour, sorted by time. One invalid candle fails the whole list.
 * @param columns what follows the start
 * @param isOpen whether a row is of an hour that is not over. @default never
 */
export function candleList(
  unit: 'ms' | 's',
  columns: readonly Column[],
  isOpen: (row: readonly unknown[]) => boolean = () => false,
): z.ZodType<ExchangeCandle[]> {
  const row = z.array(z.unknown()).transform((cells, context): ExchangeCandle => {
    const prices = Object.fromEntries(columns.map((column, index) => [column, cells[index + 1]]));
    const checked = candle.safeParse({ ...prices, startMs: epochMs(cells[0], unit) });
    for (const { path, message } of checked.error?.issues ?? [])
      context.addIssue({ code: 'custom', path, message });
    if (!checked.success) return z.NEVER;
    return isOpen(cells) ? { ...checked.data, isOpen: true } : checked.data;
  });
  return z.array(row).transform((list) => list.sort((a, b) => a.startMs - b.startMs));
}
