import { type CandleObject, candleObjectKey } from '../../lake/candle-objects.ts';
import { parseRows, pricesOf, rowsObject } from '../../lake/candle-rows.ts';
import { UnreadableObjectError } from '../../lake/ndjson.ts';
import { type CandleSeries, candleFromHistory, type RecordedPrices } from '../../market/candle.ts';
import type { CandleHours } from '../../market/price-path.ts';
import type { CurrencyPair, Series } from '../../market/series.ts';
import { DAY_MS, dayOf, HOUR_MS } from '../../market/time.ts';
import type { Window } from '../../market/window.ts';
import type { SummaryStore } from '../../summarise/ports.ts';
import type { SummarySettings } from '../../summarise/settings.ts';
import { type WrittenCandles, writeCandles } from '../../summarise/write-candles.ts';
import { counted } from '../../text/format.ts';
import type { OperationServices } from '../operation.ts';
import type { ExchangeCandles } from '../ports.ts';
import type { RowsInput } from './input.ts';

/** What writing one part of a backfill did. */
export interface WrittenPart extends WrittenCandles {
  /** Candles in the part. */
  read: number;
  /** Hours that an exchange was asked for. */
  hours?: number;
  /** What was not available. */
  notes?: string[];
}

/** @returns undefined if the exchange asked to wait first */
export type WritePart = (position: number, store: SummaryStore) => Promise<WrittenPart | undefined>;

/** The note about candles that do not start on the hour. */
export function movedNote(
  { exchange, symbol }: Pick<Series, 'exchange' | 'symbol'>,
  moved: number,
  { fromMs, toMs }: Window,
): string[] {
  if (moved === 0) return [];
  const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
  const candles = counted(moved, 'candle does', 'candles do');
  return [`${exchange} ${symbol}: between ${from} and ${to}, ${candles} not start on the hour: left out.`];
}

/** The series, with base and quote if both are known. */
export function seriesNamed(
  { exchange, category, symbol }: Series,
  { base, quote }: CurrencyPair,
): CandleSeries {
  return { exchange, category, symbol, ...(base && quote ? { base, quote } : {}) };
}

/** Writes one series' recorded candles. `remakeMoves` makes the moves that follow from them. */
export async function writeRecorded(
  series: CandleSeries,
  hours: CandleHours,
  rows: readonly RecordedPrices[],
  settings: SummarySettings,
  store: SummaryStore,
): Promise<WrittenCandles> {
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last) return { candles: 0, moves: 0, removed: 0 };
  const existing = await store.candlesOf(series, {
    fromMs: dayOf(first.startMs) - DAY_MS,
    // A candle of the next day may be linked to the last of these.
    toMs: dayOf(last.startMs) + 3 * DAY_MS,
  });
  const proposals = rows.map((row) => candleFromHistory(series, row, hours));
  const beforeReopening = async (dayMs: number) => {
    const untilMs = await store.summarisedUntil();
    if (untilMs !== undefined && dayMs < untilMs) await store.setSummarisedUntil(dayMs);
  };
  return writeCandles(proposals, existing, { makeMoves: 'later', beforeReopening }, settings, store);
}

/** Makes the candles in an object of the lake, those that lie in [fromMs, toMs). @throws UnreadableObjectError */
export async function writeFromLake(
  object: CandleObject,
  { fromMs, toMs }: Window,
  { candleHistory, exchangeCandles, summaries }: OperationServices,
  store: SummaryStore,
): Promise<WrittenPart> {
  const rows = readCandleObject(object, await candleHistory.read(object), exchangeCandles).filter(
    ({ startMs }) => startMs >= fromMs && startMs + object.hours * HOUR_MS <= toMs,
  );
  const series = seriesWithPair(object, exchangeCandles);
  return { read: rows.length, ...(await writeRecorded(series, object.hours, rows, summaries, store)) };
}

/** Keeps rows in the lake and writes their candles. */
export async function writeRows(
  { exchange, category, hours, series, run }: RowsInput,
  { candleHistory, exchangeCandles, summaries }: OperationServices,
  store: SummaryStore,
): Promise<WrittenPart> {
  const sum: WrittenPart = { read: 0, candles: 0, moves: 0, removed: 0 };
  for (const { symbol, rows, ...pair } of series) {
    const named = seriesNamed({ exchange, category, symbol }, pair);
    const { object, content } = rowsObject(named, hours, rows, run);
    await candleHistory.put(object, content);
    const whole = seriesWithPair(named, exchangeCandles);
    const written = await writeRecorded(whole, hours, rows.map(pricesOf), summaries, store);
    sum.read += rows.length;
    sum.candles += written.candles;
    sum.moves += written.moves;
  }
  return sum;
}

/** The series with base and quote; if they were not given, they come from the symbol's spelling. */
export function seriesWithPair(
  { exchange, category, symbol, base, quote }: CandleSeries,
  exchangeCandles: Pick<ExchangeCandles, 'pairOf'>,
): CandleSeries {
  const name = { exchange, category, symbol };
  const pair: CurrencyPair = base && quote ? { base, quote } : exchangeCandles.pairOf(name);
  return { ...name, ...(pair.base ? { base: pair.base } : {}), ...(pair.quote ? { quote: pair.quote } : {}) };
}

/**
 * The candles in an object of the lake, in time order.
 * @throws UnreadableObjectError if the content does not match the object's format, or nobody knows the format
 */
export function readCandleObject(
  object: CandleObject,
  content: string,
  exchangeCandles: Pick<ExchangeCandles, 'parse'>,
): RecordedPrices[] {
  const { format, symbol, firstMs, lastMs } = object;
  try {
    if (format === 'rows') return parseRows(content);
    // An answer is kept unchanged, even with hours that nobody asked for, which may not have been closed.
    const candles = exchangeCandles.parse(format, symbol, content);
    return candles.filter(({ startMs }) => startMs >= firstMs && startMs <= lastMs);
  } catch (cause) {
    throw new UnreadableObjectError(candleObjectKey(object), cause);
  }
}
