/** Which of an exchange's markets a source polls. */
export interface MarketSelection {
  /** Patterns for symbols, with `*` for any characters: `BTC*`, `*-USDT`. */
  symbols?: { include?: readonly string[] | undefined; exclude?: readonly string[] | undefined } | undefined;
  /** Quote currencies. A market whose quote is unknown does not match. */
  quote?: string | readonly string[] | undefined;
}

export type MarketFilter = (market: { symbol: string; quote?: string | undefined }) => boolean;

/** Case does not matter. */
export function marketFilter({ symbols, quote }: MarketSelection): MarketFilter {
  const included = symbols?.include?.map(patternOf);
  const excluded = symbols?.exclude?.map(patternOf) ?? [];
  const quotes = quote === undefined ? undefined : new Set([quote].flat().map((each) => each.toUpperCase()));
  return (market) =>
    (included === undefined || included.some((pattern) => pattern.test(market.symbol))) &&
    !excluded.some((pattern) => pattern.test(market.symbol)) &&
    (quotes === undefined || quotes.has(market.quote?.toUpperCase() ?? ''));
}

function patternOf(pattern: string): RegExp {
  const literals = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\/-]/g, '\\$&'));
  return new RegExp(`^${literals.join('.*')}$`, 'i');
}
