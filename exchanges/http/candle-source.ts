import * as z from 'zod';
import { SourceUnavailableError } from '../../core/ingest/source-errors.ts';
import type { Category } from '../../core/market/series.ts';
import type { CandleSource, ExchangeCandles } from '../../core/operate/ports.ts';
import { candleExchanges, candleFormats } from '../candle-formats.ts';
import { onTheHour } from '../payload/candles.ts';
import { holdTo, OWN_HOSTS_ONLY } from './addresses.ts';
import { ExchangeClient } from './client.ts';

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

/** The candles of all exchanges. Keep the result: it remembers rate limits. */
export function exchangeCandles(addresses: 'public' | 'any'): ExchangeCandles {
  holdTo(addresses);
  const sources = new Map<string, CandleSource>();
  return {
    whyNone: (exchange, category, baseUrl) =>
      baseUrl === undefined || addresses === 'any' ? whyNoCandles(exchange, category) : OWN_HOSTS_ONLY,
    source(name, baseUrl) {
      const key = `${name} ${baseUrl ?? ''}`;
      const source = sources.get(key) ?? openSource(name, baseUrl);
      sources.set(key, source);
      return source;
    },
    ...candleFormats,
  };
}

function openSource(name: string, baseUrl: string | undefined): CandleSource {
  const exchange = candleExchanges.find((each) => each.name === name);
  if (!exchange) throw new Error(`${name} has no candles`);
  const client = new ExchangeClient(exchange, { baseUrl });
  const { candles } = exchange;
  const { format, pageHours, keptCandles } = candles;
  return {
    format,
    pageHours,
    keptCandles,
    async page(range, deadlineMs) {
      const { category, symbol, fromMs, toMs } = range;
      const ask = client.poll(deadlineMs);
      const request = candles.request(range);
      const { value: all, url } = await ask(request, candles.shapeOf(symbol));
      // Does not send the request again.
      const { value: raw } = await ask(request, z.unknown());
      const inRange = all.filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
      const rows = onTheHour(inRange);
      const moved = inRange.length - rows.length;
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
      const isCutOff = keptCandles !== undefined && all.length >= keptCandles && firstMs > fromMs;
      return { raw, rows, moved, pair: await pair, ...(isCutOff ? { keptFromMs: firstMs } : {}) };
    },
  };
}
