import type { CurrencyPair } from '../../core/market/series.ts';

/**
 * `BTCUSDT` → BTC and USDT.
 * @param quotes in the order to try them: a longer one before its own suffix
 */
export function splitByQuote(symbol: string, quotes: readonly string[]): CurrencyPair {
  const quote = quotes.find((candidate) => symbol.endsWith(candidate) && symbol.length > candidate.length);
  return quote ? { base: symbol.slice(0, -quote.length), quote } : {};
}

/** `BTC-USD`, `BTC-USD-SWAP` → BTC and USD. */
export function splitByDash(symbol: string): CurrencyPair {
  const [base, quote] = symbol.split('-');
  return base && quote ? { base, quote } : {};
}
