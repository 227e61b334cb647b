/**
 * `BTCUSDT` → BTC and USDT, by the quote currencies that an exchange trades in.
 * @param quotes in the order to try them: a longer one before its own suffix
 * @returns undefined where none fits
 */
export function splitPair(
  symbol: string,
  quotes: readonly string[],
): { base: string; quote: string } | undefined {
  const quote = quotes.find((candidate) => symbol.endsWith(candidate) && symbol.length > candidate.length);
  return quote ? { base: symbol.slice(0, -quote.length), quote } : undefined;
}
