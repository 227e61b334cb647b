import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { RateLimitedError } from '../../core/ingest/source-errors.ts';
import { CATEGORIES, type Category, SYMBOL_PATTERN } from '../../core/market/series.ts';
import { HOUR_MS, hourOf } from '../../core/market/time.ts';
import type { SymbolRows } from '../../core/operate/backfill/row-parts.ts';
import type { Slice } from '../../core/operate/operation.ts';
import { deadlineOf } from '../../core/runtime/budgets.ts';
import { CcxtCandles } from '../../exchanges/ccxt/candles.ts';
import { createLogger } from '../../stores/aws/logger.ts';

/** Hourly candles of an exchange that ccxt knows. */
const candlesEvent = z.object({
  input: z.strictObject({
    /** As ccxt names it: `gate`. */
    exchange: z.string().regex(/^[a-z0-9]{2,40}$/, 'the id of an exchange in ccxt'),
    category: z.enum(CATEGORIES),
    symbols: z.array(z.string().regex(SYMBOL_PATTERN, 'expected a symbol')).min(1),
    /** Candles that start in [from, to), on the hour. */
    from: z.iso.datetime({ offset: true }),
    to: z.iso.datetime({ offset: true }),
    /** Replaces the exchange's own hosts. */
    baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  }),
  sliceMs: z.number().positive().optional(),
  cursor: z.object({ symbol: z.number().int(), nextMs: z.number(), first: z.boolean() }).optional(),
});

type CandlesEvent = z.infer<typeof candlesEvent>;

/** What one slice brought: to be handed over to `backfill` of the operate function. */
export interface CandlesOutput {
  series: SymbolRows[];
  /** Hours that the exchange was asked for: it may have candles of fewer. */
  hours: number;
  notes: string[];
}

const log = createLogger('candles-ccxt');
/** Outlive the slices: a client remembers the markets, and until when an exchange is not to be asked. */
const clients = new Map<string, CcxtCandles>();
/** In one answer, some 400 KB. */
const MOST_ROWS = 6_000;
/** How long an exchange that does not answer is asked again, whatever the slice's time. */
const PATIENCE_MS = 15_000;

/**
 * Fetches a slice of hourly candles through ccxt, and keeps nothing: it reaches no store of ours, so that the function
 * that writes candles does not have to carry ccxt. The caller sends the cursor of the answer with the next event.
 */
export async function handler(event: unknown, context: Context): Promise<Slice<CandlesOutput>> {
  log.addContext(context);
  const { input, sliceMs, cursor } = candlesEvent.parse(event);
  const [fromMs, toMs] = [input.from, input.to].map((time) => hourOf(Date.parse(time))) as [number, number];
  const now = Date.now();
  const endMs = deadlineOf(context.getRemainingTimeInMillis(), now);
  const deadlineMs = Math.min(endMs, now + (sliceMs ?? Number.POSITIVE_INFINITY));
  const candles = clientOf(input);
  const output: CandlesOutput = { series: [], hours: 0, notes: [] };
  let state = cursor ?? { symbol: 0, nextMs: fromMs, first: true };
  let pages = 0;
  let rowCount = 0;

  while (state.symbol < input.symbols.length) {
    const symbol = input.symbols[state.symbol] as string;
    if (state.nextMs >= toMs) {
      state = { symbol: state.symbol + 1, nextMs: fromMs, first: true };
      continue;
    }
    // One page at least, or a short slice would never come to an end.
    if (pages > 0 && (Date.now() >= deadlineMs || rowCount >= MOST_ROWS)) break;
    try {
      const until = Math.min(endMs, Date.now() + PATIENCE_MS);
      const page = await candles.page({ symbol, fromMs: state.nextMs, toMs }, until);
      if (state.first && page.rows[0] && page.rows[0][0] > fromMs) {
        const since = new Date(page.rows[0][0]).toISOString();
        output.notes.push(`${input.exchange} ${symbol}: the exchange gives no candles before ${since}.`);
      }
      pages += 1;
      rowCount += page.rows.length;
      if (page.rows.length > 0) output.series.push({ symbol, ...page.pair, rows: page.rows });
      output.hours += (Math.min(page.nextMs, toMs) - state.nextMs) / HOUR_MS;
      state = { ...state, nextMs: page.nextMs, first: state.first && page.rows.length === 0 };
      if (state.first && page.nextMs >= toMs) {
        output.notes.push(`${input.exchange} ${symbol}: the exchange gives no candles of that time.`);
      }
    } catch (error) {
      if (!(error instanceof RateLimitedError)) throw error;
      const { retryAtMs = 0 } = error;
      log.warn('The exchange asked to wait', { until: new Date(retryAtMs).toISOString() });
      await wait(Math.max(0, Math.min(retryAtMs, deadlineMs) - Date.now()));
      break;
    }
  }

  const hours = Math.max(0, Math.ceil((toMs - fromMs) / HOUR_MS));
  const done = state.symbol * hours + Math.max(0, Math.min(state.nextMs, toMs) - fromMs) / HOUR_MS;
  return {
    ...(state.symbol < input.symbols.length ? { cursor: state } : {}),
    progress: { done, total: input.symbols.length * hours, unit: 'hours' },
    output,
  };
}

function clientOf({ exchange, category, baseUrl }: CandlesEvent['input']): CcxtCandles {
  const key = [exchange, category satisfies Category, baseUrl].join(' ');
  const client = clients.get(key) ?? new CcxtCandles(exchange, category, baseUrl);
  clients.set(key, client);
  return client;
}
