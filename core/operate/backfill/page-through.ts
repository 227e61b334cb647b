import { candleObjectKey } from '../../lake/candle-objects.ts';
import { rowsObject } from '../../lake/candle-rows.ts';
import type { Market } from '../../market/series.ts';
import { HOUR_MS } from '../../market/time.ts';
import type { Window } from '../../market/window.ts';
import type { OperationServices, Slice } from '../operation.ts';
import type { CandleHistory, CandlePager } from '../ports.ts';
import { PATIENCE_MS, waitAsAsked } from './rate-limit.ts';
import { movedNote, seriesNamed } from './recorded-candles.ts';

/** Hourly candles to fetch: those that start in [fromMs, toMs), both whole hours, epoch ms. */
export interface PageRequest extends Market, Window {
  symbols: readonly string[];
  /** Names what is written, so that it can be undone. */
  run?: string | undefined;
}

/** Where the next slice begins. */
export interface PageCursor {
  /** Position of the symbol. */
  symbol: number;
  /** Epoch ms. */
  nextMs: number;
  /** No candle of the symbol has been found yet. */
  first: boolean;
  /** Of the command that was interrupted. */
  run?: string | undefined;
}

/** What one slice put into the lake. */
export interface PagesOutput {
  /** Keys of the objects, for `backfill` to make candles from. */
  objects: string[];
  /** Hours that the exchange was asked for; it may have candles of fewer. */
  hours: number;
  /** What was not available. */
  notes: string[];
  run?: string | undefined;
}

export interface PageServices extends Pick<OperationServices, 'log' | 'now' | 'sleep'> {
  pager: CandlePager;
  history: Pick<CandleHistory, 'put'>;
}

/** In one slice: `backfill` makes candles of them in about as long. */
const MOST_ROWS = 6_000;

/**
 * Fetches candles page by page and keeps each page in the lake.
 * @param limits no new page starts after `deadlineMs`; no page takes longer than until `endMs`. Epoch ms
 */
export async function pageThrough(
  request: PageRequest,
  cursor: PageCursor | undefined,
  services: PageServices,
  limits: { deadlineMs: number; endMs: number },
): Promise<Slice<PagesOutput>> {
  const { pager, history, now } = services;
  const { exchange, category, symbols, fromMs, toMs } = request;
  let state: PageCursor = cursor ?? { symbol: 0, nextMs: fromMs, first: true, run: request.run };
  const { run } = state;
  const output: PagesOutput = { objects: [], hours: 0, notes: [], run };
  let pages = 0;
  let rowCount = 0;

  while (state.symbol < symbols.length) {
    const symbol = symbols[state.symbol] as string;
    if (state.nextMs >= toMs) {
      state = { symbol: state.symbol + 1, nextMs: fromMs, first: true, run };
      continue;
    }
    // At least one page, or a short slice would never get anywhere.
    if (pages > 0 && (now() >= limits.deadlineMs || rowCount >= MOST_ROWS)) break;
    try {
      const range = { symbol, fromMs: state.nextMs, toMs };
      const { pair, rows, moved, nextMs } = await pager.page(
        range,
        Math.min(limits.endMs, now() + PATIENCE_MS),
      );
      const [firstRow] = rows;
      if (firstRow) {
        const { object, content } = rowsObject(
          seriesNamed({ exchange, category, symbol }, pair),
          1,
          rows,
          run,
        );
        await history.put(object, content);
        output.objects.push(candleObjectKey(object));
      }
      if (state.first && firstRow && firstRow[0] > fromMs) {
        const since = new Date(firstRow[0]).toISOString();
        output.notes.push(`${exchange} ${symbol}: the exchange has no candles before ${since}.`);
      }
      if (state.first && !firstRow && nextMs >= toMs) {
        output.notes.push(`${exchange} ${symbol}: the exchange has no candles for that time.`);
      }
      const until = { fromMs: state.nextMs, toMs: Math.min(nextMs, toMs) };
      output.notes.push(...movedNote({ exchange, symbol }, moved, until));
      pages += 1;
      rowCount += rows.length;
      output.hours += (Math.min(nextMs, toMs) - state.nextMs) / HOUR_MS;
      state = { ...state, nextMs, first: state.first && !firstRow };
    } catch (error) {
      await waitAsAsked(error, limits.deadlineMs, services);
      break;
    }
  }

  const hours = Math.max(0, Math.ceil((toMs - fromMs) / HOUR_MS));
  const done = state.symbol * hours + Math.max(0, Math.min(state.nextMs, toMs) - fromMs) / HOUR_MS;
  return {
    ...(state.symbol < symbols.length ? { cursor: state } : {}),
    progress: { done, total: symbols.length * hours, unit: 'hours' },
    output,
  };
}
