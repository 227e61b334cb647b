import * as z from 'zod';
import { parseCandleObjectKey } from '../../lake/candle-objects.ts';
import { candleRow } from '../../lake/candle-rows.ts';
import { CATEGORIES, CURRENCY_PATTERN, SYMBOL_PATTERN } from '../../market/series.ts';
import { isoTime } from '../time-range.ts';

/**
 * The command line checks it, too, so that what the function would refuse is refused before anything is
 * written.
 */
export const symbolName = z
  .string()
  .regex(SYMBOL_PATTERN, 'expected a symbol: 1 to 100 letters, digits and signs such as - / : _ @ $');
export const exchangeName = z
  .string()
  .regex(/^[a-z0-9-]{1,40}$/, 'expected lower-case letters, digits and dashes, 40 at most');
/** Names a run of the command, so that it can be undone. */
export const runName = z.string().regex(/^[a-z0-9-]{1,40}$/, 'expected a run such as 20260131-140000-3f9a');
const symbol = symbolName;
export const currencyName = z.string().regex(CURRENCY_PATTERN, 'expected a currency such as USD');
const currency = currencyName;
const market = {
  exchange: exchangeName,
  category: z.enum(CATEGORIES),
};

/** Hourly candles to fetch from an exchange. */
const fetchInput = z.strictObject({
  kind: z.literal('fetch'),
  ...market,
  symbols: z.array(symbol).min(1),
  /** Candles that start in [from, to), rounded down to hours. */
  from: isoTime,
  to: isoTime,
  /** @default none: what was written cannot be undone */
  run: runName.optional(),
  /** Replaces the exchange's own base URL. */
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
});

/** Candles handed over in parts, each small enough for one event. */
const rowsInput = z.strictObject({
  kind: z.literal('rows'),
  ...market,
  hours: z.union([z.literal(1), z.literal(24)]),
  /** @default none: what was written cannot be undone */
  run: runName.optional(),
  /** By symbol, each in time order. */
  series: z.array(
    z.strictObject({
      symbol,
      base: currency.optional(),
      quote: currency.optional(),
      rows: z.array(candleRow).min(1),
    }),
  ),
  /** Set with the last part; otherwise the next run of summarise makes the moves. */
  makeMoves: z.boolean(),
});

/** Candles that another function put into the lake. */
const lakeInput = z.strictObject({
  kind: z.literal('lake'),
  /** Keys of the objects, in the order in which they were written. */
  objects: z.array(
    z.string().transform((key, context) => {
      const object = parseCandleObjectKey(key);
      if (object) return object;
      context.addIssue(`${key} is not the key of recorded candles`);
      return z.NEVER;
    }),
  ),
  makeMoves: z.boolean(),
});

export const backfillInput = z.discriminatedUnion('kind', [fetchInput, rowsInput, lakeInput]);
export type BackfillInput = z.infer<typeof backfillInput>;
export type FetchInput = z.infer<typeof fetchInput>;
export type RowsInput = z.infer<typeof rowsInput>;
/** A part handed over, before it is checked. */
export type BackfillPart = z.input<typeof rowsInput | typeof lakeInput>;
