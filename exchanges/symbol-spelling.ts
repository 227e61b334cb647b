import type { Ticker } from '../core/market/ticker.ts';
import { binanceSpelling } from './binance.ts';
import { splitBybitSymbol } from './bybit-symbols.ts';
import { coinbasePair } from './coinbase.ts';
import { krakenPair } from './kraken.ts';
import type { Pair } from './normalise.ts';
import { okxPair } from './okx.ts';

type Spelling = (symbol: string, category: Ticker['category']) => Pair;

const SPELLINGS: Readonly<Record<string, Spelling>> = {
  bybit: (symbol, category) => splitBybitSymbol(category, symbol),
  binance: binanceSpelling,
  okx: okxPair,
  kraken: (symbol) => krakenPair(symbol),
  coinbase: coinbasePair,
};

/** `BTC_USDT`, `BTC-USD`, `BTC/USD`; without such a sign, as Bybit's symbols are read. */
const usual: Spelling = (symbol, category) => {
  const [, base, quote] = /^([A-Za-z0-9]+)[-_/]([A-Za-z0-9]+)$/.exec(symbol) ?? [];
  return base && quote ? { base, quote } : splitBybitSymbol(category, symbol);
};

/**
 * Base and quote as far as a symbol alone tells them, by the rules of its exchange. An exchange's list of instruments
 * knows better, where it is at hand.
 */
export function pairBySpelling({
  exchange,
  category,
  symbol,
}: Pick<Ticker, 'exchange' | 'category' | 'symbol'>): Pair {
  const spelling = Object.hasOwn(SPELLINGS, exchange) ? SPELLINGS[exchange] : undefined;
  return (spelling ?? usual)(symbol, category);
}
