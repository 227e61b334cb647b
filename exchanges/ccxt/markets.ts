import type { Exchange, MarketInterface } from 'ccxt';
import type { Category, CurrencyPair } from '../../core/market/series.ts';

/** undefined for a kind of market that we do not have. */
export function categoryOf(market: MarketInterface): Category | undefined {
  if (market.option) return 'option';
  if (market.spot || market.type === 'margin') return 'spot';
  if (market.linear) return 'linear';
  return market.inverse ? 'inverse' : undefined;
}

export function pairOfMarket(market: MarketInterface | undefined): CurrencyPair {
  return { base: market?.base || undefined, quote: market?.quote || undefined };
}

/** Limits a ccxt client to one category, so that it sends no requests for other markets. */
export function limitTo(category: Category, { has, options }: Exchange): void {
  // Deposits and withdrawals, which need a request of their own.
  has.fetchCurrencies = false;
  options.defaultType = category === 'spot' || category === 'option' ? category : 'swap';
  if (category === 'linear' || category === 'inverse') options.defaultSubType = category;
  const settings = options.fetchMarkets as { types?: unknown } | undefined;
  const types = settings?.types;
  if (!settings || typeof types !== 'object' || types === null) return;
  const isContract = category === 'linear' || category === 'inverse';
  const wanted = isContract ? [category, 'swap', 'contract'] : [category];
  if (Array.isArray(types)) {
    const narrowed = types.filter((type) => wanted.includes(type));
    if (narrowed.length > 0) settings.types = narrowed;
  } else {
    settings.types = Object.fromEntries(
      Object.entries(types).map(([type, on]) => [type, on && wanted.includes(type)]),
    );
  }
}

/** A tree of URLs, with the same paths on another host. */
export function onHost(urls: unknown, baseUrl: string): unknown {
  if (typeof urls === 'string') return urls.replace(/^https?:\/\/[^/]+/, baseUrl.replace(/\/+$/, ''));
  if (typeof urls !== 'object' || urls === null) return urls;
  return Object.fromEntries(Object.entries(urls).map(([name, inner]) => [name, onHost(inner, baseUrl)]));
}

export function firstUrl(urls: unknown): string | undefined {
  if (typeof urls === 'string') return urls;
  return Object.values(urls ?? {})
    .map(firstUrl)
    .find(Boolean);
}
