import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { CATEGORIES, SYMBOL_PATTERN } from '../../core/market/series.ts';
import { hourOf } from '../../core/market/time.ts';
import { runName } from '../../core/operate/backfill/input.ts';
import { type PagesOutput, pageThrough } from '../../core/operate/backfill/page-through.ts';
import type { Slice } from '../../core/operate/operation.ts';
import { deadlineOf } from '../../core/runtime/budgets.ts';
import { readEnvironment } from '../../core/runtime/environment.ts';
import { CcxtCandles } from '../../exchanges/ccxt/candles.ts';
import { addressVariables, holdTo, OWN_HOSTS_ONLY } from '../../exchanges/http/addresses.ts';
import { createLogger } from '../../stores/aws/logger.ts';
import { S3CandleHistory } from '../../stores/s3/candle-history.ts';
import { createS3Client } from '../../stores/s3/client.ts';

const environment = readEnvironment(
  z.object({ LAKE_BUCKET: z.string().min(1), ...addressVariables }),
  process.env,
);
holdTo(environment.EXCHANGE_ADDRESSES);
const log = createLogger('candles-ccxt');
const history = new S3CandleHistory(createS3Client(process.env), environment.LAKE_BUCKET);

/** Hourly candles of an exchange that ccxt knows. */
const candlesEvent = z.object({
  input: z.strictObject({
    /** As ccxt calls it: `gate`. */
    exchange: z.string().regex(/^[a-z0-9]{2,40}$/, 'expected the id of an exchange in ccxt'),
    category: z.enum(CATEGORIES),
    symbols: z.array(z.string().regex(SYMBOL_PATTERN, 'expected a symbol')).min(1),
    /** Candles that start in [from, to), rounded down to hours. */
    from: z.iso.datetime({ offset: true }),
    to: z.iso.datetime({ offset: true }),
    run: runName.optional(),
    /** Replaces the exchange's own hosts, where any address is allowed. */
    baseUrl: z
      .url({ protocol: /^https?$/ })
      .refine(() => environment.EXCHANGE_ADDRESSES === 'any', OWN_HOSTS_ONLY)
      .optional(),
  }),
  sliceMs: z.number().positive().optional(),
  cursor: z
    .object({ symbol: z.number().int(), nextMs: z.number(), first: z.boolean(), run: runName.optional() })
    .optional(),
});

/** By market. They remember the exchange's markets, and until when it asked not to be called. */
const pagers = new Map<string, CcxtCandles>();

/**
 * Fetches a slice of hourly candles through ccxt into the lake; `backfill` of the operate function makes candles of
 * them. The caller sends the cursor of the answer with the next event until there is none.
 */
export async function handler(event: unknown, context: Context): Promise<Slice<PagesOutput>> {
  log.addContext(context);
  const { input, sliceMs, cursor } = candlesEvent.parse(event);
  const { from, to, baseUrl, ...market } = input;
  const key = [market.exchange, market.category, baseUrl].join(' ');
  const pager = pagers.get(key) ?? new CcxtCandles(market.exchange, market.category, baseUrl);
  pagers.set(key, pager);
  const now = Date.now();
  const endMs = deadlineOf(context.getRemainingTimeInMillis(), now);
  const deadlineMs = Math.min(endMs, now + (sliceMs ?? Number.POSITIVE_INFINITY));
  return pageThrough(
    { ...market, fromMs: hourOf(Date.parse(from)), toMs: hourOf(Date.parse(to)) },
    cursor,
    { pager, history, log, now: Date.now, sleep },
    { deadlineMs, endMs },
  );
}
