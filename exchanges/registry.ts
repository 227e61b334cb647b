import type { CurrencyPair, Series } from '../core/market/series.ts';
import { binance } from './binance.ts';
import { bybit } from './bybit/bybit.ts';
import { coinbase } from './coinbase.ts';
import type { Exchange, TickerApi } from './exchange.ts';
import { kraken } from './kraken.ts';
import { okx } from './okx.ts';
import { splitUnknown } from './payload/pair.ts';

/** Every exchange that has its own client. A new one needs a line here. */
export const EXCHANGES: readonly Exchange[] = [bybit, binance, okx, kraken, coinbase];

/** Finds a ticker API by its name in a source's configuration. */
export function findTickerApi(name: string): { exchange: Exchange; api: TickerApi } | undefined {
  return EXCHANGES.flatMap((exchange) => exchange.tickerApis.map((api) => ({ exchange, api }))).find(
    ({ api }) => api.name === name,
  );
}

/**
 * Splits a symbol into base and quote by its spelling alone. If an exchange publishes a list of instruments, that is
 * more reliable.
 */
export function pairBySpelling({ exchange, category, symbol }: Series): CurrencyPair {
  const known = EXCHANGES.find(({ name }) => name === exchange);
  if (known) return known.pairOf(symbol, category);
  return splitUnknown(symbol);
}
