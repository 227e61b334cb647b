import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { type CandleSource, candleSource, whyNoCandles } from '../../../exchanges/http/candle-source.ts';
import { S3CandleHistory } from '../../../stores/s3/candle-history.ts';
import { RateLimitedError } from '../../ingest/source-errors.ts';
import { CATEGORIES, SYMBOL_PATTERN } from '../../market/series.ts';
import { HOUR_MS, hourOf } from '../../market/time.ts';
import { makeMovesAgain } from '../../summarise/moves-again.ts';
import type { SummaryStore } from '../../summarise/ports.ts';
import type { Operation, OperationServices, Slice, SliceBudget } from '../operation.ts';
import { summarySlice } from '../summary-slice.ts';
import { type CandleRow, candleRow, pricesOf, writeRecorded } from './recorded-candles.ts';

const isoTime = z.iso.datetime({ offset: true, error: 'expected an ISO 8601 time' });
const symbol = z.string().regex(SYMBOL_PATTERN, 'expected a symbol');
const currency = z.string().min(1).max(100);
const series = {
  exchange: z.string().regex(/^[a-z0-9-]{1,40}$/, 'lower-case letters, digits and dashes, 40 at most'),
  category: z.enum(CATEGORIES),
};

/** Hourly candles of an exchange. */
const fetchInput = z
  .strictObject({
    kind: z.literal('fetch'),
    ...series,
    symbols: z.array(symbol).min(1),
    /** Candles that start in [from, to), on the hour. */
    from: isoTime,
    to: isoTime,
    /** Replaces the exchange's own base URL. */
    baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  })
  .superRefine(({ exchange, category }, context) => {
    const message = whyNoCandles(exchange, category);
    if (message) context.addIssue({ code: 'custom', path: ['exchange'], message });
  });

/** Candles that somebody else recorded or fetched: a part of them, small enough for one event. */
const rowsInput = z.strictObject({
  kind: z.literal('rows'),
  ...series,
  hours: z.union([z.literal(1), z.literal(24)]),
  /** By symbol, each in time order. */
  series: z.array(
    z.strictObject({
      symbol,
      base: currency.optional(),
      quote: currency.optional(),
      rows: z.array(candleRow).min(1),
    }),
  ),
  /** With the last part; else the next run of summarise makes them. */
  makeMoves: z.boolean(),
});

const inputSchema = z.discriminatedUnion('kind', [fetchInput, rowsInput]);

/** The exchange no longer has any of the candles that were asked for. */
export class CandlesNotKeptError extends Error {
  override readonly name = 'CandlesNotKeptError';
}

/** What one slice wrote. */
export interface BackfillOutput {
  /** Candles that the exchange or the file holds. */
  read: number;
  /** Of these, those that are new or replace another one; the others were there, or ticks stand for them. */
  candles: number;
  moves: number;
  /** Hours that an exchange was asked for: it may have candles of fewer. */
  hours?: number;
  /** What could not be had, for people; left out where all could. */
  notes?: string[];
}

interface BackfillCursor {
  /** Pages of all symbols (or parts of rows) that are done. */
  pages: number;
}

/**
 * Writes recorded candles: fetched from an exchange, page by page, or handed over. What came is kept in the lake as it
 * came. The moves are made when the last candle is written; a backfill that is stopped before leaves that to the next
 * run of summarise.
 */
export const backfill: Operation<z.infer<typeof inputSchema>, BackfillOutput> = {
  name: 'backfill',
  input: inputSchema,
  slice(input, cursor, services, budget) {
    const state: BackfillCursor = (cursor as BackfillCursor | undefined) ?? { pages: 0 };
    const total = input.kind === 'rows' ? 1 : input.symbols.length * pagesOf(input);
    const output: BackfillOutput = { read: 0, candles: 0, moves: 0 };
    const answer = (done: boolean): Slice<BackfillOutput> => ({
      ...(done ? {} : { cursor: state }),
      // The moves count as one more page.
      progress: { done: state.pages + (done ? 1 : 0), total: total + 1, unit: 'pages' },
      output,
    });
    return summarySlice('backfill', cursor, services, budget, answer(false), async ({ store }, hasTime) => {
      const work: Work = { services, store, hasTime, budget, output };
      while (state.pages < total) {
        if (!hasTime()) return answer(false);
        if (input.kind === 'rows') await writeRows(input, work);
        else if (!(await writePage(input, state.pages, work))) return answer(false);
        state.pages += 1;
      }
      if (input.kind === 'rows' && !input.makeMoves) return answer(true);
      const again = await makeMovesAgain(services.summaries, store, hasTime);
      output.moves += again.moves;
      return answer(again.done);
    });
  },
};

interface Work {
  services: OperationServices;
  store: SummaryStore;
  hasTime: () => boolean;
  budget: SliceBudget;
  output: BackfillOutput;
}

async function writeRows(input: z.infer<typeof rowsInput>, work: Work): Promise<void> {
  const { exchange, category, hours } = input;
  const { services, store, output } = work;
  const history = new S3CandleHistory(services.s3, services.bucket);
  for (const { symbol, base, quote, rows } of input.series) {
    const [firstMs, lastMs] = [rows[0]?.[0] ?? 0, rows.at(-1)?.[0] ?? 0];
    const name = { exchange, category, symbol, ...(base && quote ? { base, quote } : {}) };
    const lines = rows.map((row: CandleRow) => `${JSON.stringify(row)}\n`);
    await history.put({ ...name, hours, firstMs, lastMs, format: 'rows' }, lines.join(''));
    const written = await writeRecorded(name, hours, rows.map(pricesOf), services.summaries, store);
    output.read += rows.length;
    output.candles += written.candles;
    output.moves += written.moves;
  }
}

/** How long an exchange that does not answer is asked again, whatever the slice's time. */
const PATIENCE_MS = 15_000;

/** @returns whether the page is written; else the exchange asked to wait */
async function writePage(input: z.infer<typeof fetchInput>, page: number, work: Work): Promise<boolean> {
  const { services, store, budget, output } = work;
  const exchange = sourceOf(input.exchange, input.baseUrl);
  const pages = pagesOf(input);
  const symbol = input.symbols[Math.floor(page / pages)] as string;
  const firstMs = hourOf(Date.parse(input.from)) + (page % pages) * exchange.pageHours * HOUR_MS;
  const toMs = Math.min(firstMs + exchange.pageHours * HOUR_MS, hourOf(Date.parse(input.to)));
  const name = { exchange: input.exchange, category: input.category, symbol };
  try {
    const page = await exchange.page({ ...name, fromMs: firstMs, toMs }, Date.now() + PATIENCE_MS);
    const { raw, rows, pair } = page;
    if (page.keptFromMs !== undefined) {
      const note = cutOffNote(`${name.exchange} ${symbol}`, exchange, page.keptFromMs);
      if (rows.length === 0) throw new CandlesNotKeptError(note);
      output.notes = [...(output.notes ?? []), note];
    }
    const history = new S3CandleHistory(services.s3, services.bucket);
    const series = { ...name, ...(pair.base && pair.quote ? { base: pair.base, quote: pair.quote } : {}) };
    const object = { ...series, hours: 1 as const, firstMs, lastMs: toMs - HOUR_MS, format: exchange.format };
    if (rows.length > 0) await history.put(object, JSON.stringify(raw));
    const written = await writeRecorded(series, 1, rows, services.summaries, store);
    output.hours = (output.hours ?? 0) + (toMs - firstMs) / HOUR_MS;
    output.read += rows.length;
    output.candles += written.candles;
    output.moves += written.moves;
    return true;
  } catch (error) {
    if (!(error instanceof RateLimitedError)) throw error;
    const { retryAtMs = 0 } = error;
    services.log.warn('The exchange asked to wait', { until: new Date(retryAtMs).toISOString() });
    await wait(Math.max(0, Math.min(retryAtMs, budget.deadlineMs) - Date.now()));
    return false;
  }
}

function cutOffNote(market: string, { keptCandles }: CandleSource, keptFromMs: number): string {
  const since = new Date(keptFromMs).toISOString();
  return `${market}: the exchange gives its last ${keptCandles} hours only, those from ${since} on; older ones have to come from a file (--file).`;
}

function pagesOf({ exchange, baseUrl, from, to }: z.infer<typeof fetchInput>): number {
  const hours = (hourOf(Date.parse(to)) - hourOf(Date.parse(from))) / HOUR_MS;
  return Math.max(0, Math.ceil(hours / sourceOf(exchange, baseUrl).pageHours));
}

/** Outlive the slices, because a source remembers rate limits. */
const sources = new Map<string, CandleSource>();

function sourceOf(exchange: string, baseUrl: string | undefined): CandleSource {
  const key = `${exchange} ${baseUrl ?? ''}`;
  const source = sources.get(key) ?? candleSource(exchange, baseUrl);
  sources.set(key, source);
  return source;
}
