import * as z from 'zod';
import { SourceUnavailableError } from '../../core/ingest/source-errors.ts';
import type { Category } from '../../core/market/series.ts';
import type { CandleSource } from '../../core/operate/ports.ts';
import type { CandleApi, Exchange, ExchangeCandle } from '../exchange.ts';
import { EXCHANGES } from '../registry.ts';
import { exchangeClient } from './client.ts';

type CandleExchange = Exchange & { candles: CandleApi };

const candleExchanges = EXCHANGES.filter((each): each is CandleExchange => each.candles !== undefined);

/** The categories with candles, by the name of the exchange. */
export const CANDLE_CATEGORIES: Readonly<Record<string, readonly Category[]>> = Object.fromEntries(
  candleExchanges.map(({ name, candles }) => [name, candles.categories]),
);

/** Why a market's hourly candles cannot be fetched; undefined if they can. */
export function whyNoCandles(exchange: string, category: Category): string | undefined {
  const categories = Object.hasOwn(CANDLE_CATEGORIES, exchange) ? CANDLE_CATEGORIES[exchange] : undefined;
  if (!categories) {
    const names = Object.keys(CANDLE_CATEGORIES).join(', ');
    return `the history of ${exchange} cannot be fetched; choose ${names}, or ccxt:<id> for any other exchange`;
  }
  if (categories.includes(category)) return undefined;
  return `${exchange} has no ${category} candles; it has ${categories.join(', ')}`;
}

/**
 * Opens the candles of an exchange. Keep the result: it remembers rate limits.
 * @param baseUrl replaces the exchange's own hosts
 * @throws Error if {@link whyNoCandles} knows no such exchange
 */
export function candleSource(name: string, baseUrl?: string): CandleSource {
  const exchange = candleExchanges.find((each) => each.name === name);
  if (!exchange) throw new Error(`${name} has no candles`);
  const openPoll = exchangeClient(exchange, { baseUrl });
  const { candles } = exchange;
  const { format, pageHours, keptCandles = Number.POSITIVE_INFINITY } = candles;
  return {
    format,
    pageHours,
    ...(candles.keptCandles === undefined ? {} : { keptCandles }),
    async page(page, deadlineMs) {
      const { category, symbol, fromMs, toMs } = page;
      const ask = openPoll({ deadlineMs });
      const request = candles.request(page);
      const { value: all, url } = await ask(request, candles.shapeOf(symbol));
      // Does not send the request again.
      const { value: raw } = await ask(request, z.unknown());
      const rows = all.filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
      const open = rows.find(({ isOpen }) => isOpen);
      if (open) {
        const start = new Date(open.startMs).toISOString();
        throw new SourceUnavailableError(
          `${url} says that the hour from ${start} is not closed yet: try again in a minute, or end before it with --to`,
          { url },
        );
      }
      const pair = candles.pairOf?.({ category, symbol }, ask) ?? exchange.pairOf(symbol, category);
      const firstMs = all[0]?.startMs ?? fromMs;
      const isCutOff = all.length >= keptCandles && firstMs > fromMs;
      return { raw, rows, pair: await pair, ...(isCutOff ? { keptFromMs: firstMs } : {}) };
    },
  };
}

/**
 * Reads an answer that was kept in the lake. It may contain hours that were not requested or not closed.
 * @throws Error if no exchange answers in this format; ZodError if the answer has another shape
 */
export function readCandleAnswer(format: string, symbol: string, json: unknown): ExchangeCandle[] {
  const exchange = candleExchanges.find(({ candles }) => candles.format === format);
  if (!exchange) throw new Error(`No exchange answers in the format ${format}`);
  return exchange.candles.shapeOf(symbol).parse(json);
}
