import { isKnownCurrency, isMoney, QUOTES } from '../../core/market/currencies.ts';
import type { CurrencyPair } from '../../core/market/series.ts';

/** Names that some exchanges have for well-known currencies. */
const COMMON_NAMES: Readonly<Record<string, string>> = { XBT: 'BTC', XDG: 'DOGE' };

export function withCommonNames({ base, quote }: CurrencyPair): CurrencyPair {
  const common = (name: string | undefined) =>
    name !== undefined && Object.hasOwn(COMMON_NAMES, name) ? COMMON_NAMES[name] : name;
  return { ...(base ? { base: common(base) } : {}), ...(quote ? { quote: common(quote) } : {}) };
}

/**
 * `BTCUSDT` → BTC and USDT. Several quotes may fit: `XRPRLUSD` is XRP and RLUSD, but `ADAUSD` is ADA and USD,
 * not AD and AUSD. The split with a known base wins, then the longest quote. If one letter decides between
 * unknown bases, as in `FOOTUSD`, or if both bases exist, base and quote stay undefined.
 */
export function splitByQuote(symbol: string, quotes: readonly string[] = QUOTES): CurrencyPair {
  const fitting = [...new Set(quotes)]
    .filter((quote) => symbol.endsWith(quote) && symbol.length > quote.length)
    .sort((a, b) => b.length - a.length);
  const splits = fitting.map((quote) => ({ base: symbol.slice(0, -quote.length), quote }));
  const known = splits.filter(({ base }) => isKnownCurrency(base));
  const [longest, next] = splits;
  if (!next) return longest ?? {};
  if (known.length > 0) return (known.length === 1 && known[0]) || {};
  return longest && longest.quote.length - next.quote.length > 1 ? longest : {};
}

/** `BTC-USD`, `BTC-USD-SWAP` → BTC and USD. */
export function splitByDash(symbol: string): CurrencyPair {
  const [base, quote] = symbol.split('-');
  return base && quote ? { base, quote } : {};
}

/** `PF_`, `FI_`, `-PERP`, `-SWAP`, `-27DEC24`, `_260327`, `-100000-C`: what makes a contract of a pair. */
const PREFIX = /^(?:P[FIV]|F[FI])_/;
const SUFFIX = /[-_]?(?:PERPETUAL|PERP|SWAP|\d{1,2}[A-Z]{3}\d{2}|\d{6}|\d{8})(?:[-_]\d+[-_][CP])?$/;

/**
 * Splits the symbol of an exchange that we know nothing about. Only a known currency counts as quote, so `BTC-PERPETUAL`
 * is not quoted in PERPETUAL. Some exchanges put the quote first (`KRW-BTC`): money before a coin is the quote.
 */
export function splitUnknown(symbol: string): CurrencyPair {
  const spelled = symbol === symbol.toLowerCase() ? symbol.toUpperCase() : symbol;
  const pair = spelled.replace(PREFIX, '').replace(SUFFIX, '');
  const [, first, separator, second] = /^([A-Za-z0-9]+)([-_/:])([A-Za-z0-9]+)$/.exec(pair) ?? [];
  const split =
    first && second
      ? splitBySeparator(separator === ':' ? withoutPrefix(first) : first, second, separator === '/')
      : splitByQuote(withoutPrefix(pair));
  // A contract may be named after its base alone.
  const isBase = split.quote === undefined && pair !== spelled && isKnownCurrency(pair);
  return withCommonNames(isBase ? { base: pair } : split);
}

/** Bitfinex puts a t before trading pairs: `tBTCUSD`, `tDOGE:USD`. */
const withoutPrefix = (pair: string) => pair.replace(/^t(?=[A-Z])/, '');

/** @param isUnified whether it is spelled `BTC/USD`, which leaves no doubt about the order */
function splitBySeparator(first: string, second: string, isUnified: boolean): CurrencyPair {
  const usual = { base: first, quote: second };
  const [ofFirst, ofSecond] = [rankOf(first), rankOf(second)];
  if (isUnified) return usual;
  if (ofSecond === undefined) return {};
  if (ofFirst === undefined || ofFirst >= ofSecond) return usual;
  // `BTC-ETH` has BTC as its base on some exchanges, and ETH on others.
  return isMoney(first) && !isMoney(second) ? { base: second, quote: first } : {};
}

/** The lower the rank, the more often prices are quoted in the currency; undefined if hardly ever. */
function rankOf(currency: string): number | undefined {
  const rank = QUOTES.indexOf(currency);
  return rank < 0 ? undefined : rank;
}
