/** Which of an exchange's markets a source takes. */
export interface MarketSelection {
  /** Patterns of symbols, `*` for any characters: `BTC*`, `*-USDT`. */
  symbols?: { include?: readonly string[] | undefined; exclude?: readonly string[] | undefined } | undefined;
  /** Quote currencies; a market whose quote is not known is left out then. */
  quote?: string | readonly string[] | undefined;
}

export type MarketFilter = (market: { symbol: string; quote?: string | undefined }) => boolean;

export const everyMarket: MarketFilter = () => true;

/** Patterns and currencies are compared without regard to case. */
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
