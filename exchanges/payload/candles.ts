import * as z from 'zod';
import { areInOrder, EXPECTED_ORDER } from '../../core/market/candle.ts';
import { hourOf, LATEST_MS } from '../../core/market/time.ts';
import type { ExchangeCandle } from '../exchange.ts';
import { epochMs, readDecimal } from './fields.ts';

const price = z.unknown().transform((raw, context) => {
  const reading = readDecimal(raw);
  if ('value' in reading && reading.value !== undefined && reading.value > 0) return reading.value;
  context.addIssue('reason' in reading ? reading.reason : 'expected a price above 0');
  return z.NEVER;
});

/** What was traded; an empty value is unknown. */
const amount = z
  .unknown()
  .transform((raw, context) => {
    const reading = readDecimal(raw);
    if ('value' in reading && (reading.value ?? 0) >= 0) return reading.value;
    context.addIssue('reason' in reading ? reading.reason : 'expected an amount of 0 or more');
    return z.NEVER;
  })
  .optional();

const candle = z
  .object({
    startMs: z.number('expected a time').max(LATEST_MS, 'expected a time'),
    open: price,
    high: price,
    low: price,
    close: price,
    volume: amount,
    turnover: amount,
    vwap: amount,
  })
  .refine(areInOrder, EXPECTED_ORDER);

/**
 * What an element of a row means; null if it is not read. `volume` is in the base currency, `turnover` in the quote
 * currency; `vwap` is their ratio, for exchanges that give it instead of the turnover.
 */
type Column = 'open' | 'high' | 'low' | 'close' | 'volume' | 'turnover' | 'vwap' | null;

/**
 * Without the candles that do not start on the hour: after an outage, exchanges have some that begin when
 * trading resumed, and how long those cover is unknown.
 */
export function onTheHour<C extends { startMs: number }>(candles: readonly C[]): C[] {
  return candles.filter(({ startMs }) => startMs === hourOf(startMs));
}

/**
 * A list of rows that begin with the start of the hour, sorted by time. One invalid candle fails the whole
 * list; one that does not start on the hour does not, see {@link onTheHour}.
 * @param columns what follows the start
 * @param isOpen whether a row is of an hour that is not over. @default never
 */
export function candleList(
  unit: 'ms' | 's',
  columns: readonly Column[],
  isOpen: (row: readonly unknown[]) => boolean = () => false,
): z.ZodType<ExchangeCandle[]> {
  const row = z.array(z.unknown()).transform((cells, context): ExchangeCandle => {
    const named = Object.fromEntries(columns.map((column, index) => [column ?? '', cells[index + 1]]));
    const checked = candle.safeParse({ ...named, startMs: epochMs(cells[0], unit) });
    for (const { path, message } of checked.error?.issues ?? [])
      context.addIssue({ code: 'custom', path, message });
    if (!checked.success) return z.NEVER;
    const { volume, vwap, turnover: given, ...prices } = checked.data;
    const turnover = given ?? (vwap === undefined || volume === undefined ? undefined : vwap * volume);
    return {
      ...prices,
      ...(volume === undefined ? {} : { volume }),
      ...(turnover === undefined ? {} : { turnover }),
      ...(isOpen(cells) ? { isOpen: true } : {}),
    };
  });
  return z.array(row).transform((list) => list.sort((a, b) => a.startMs - b.startMs));
}
