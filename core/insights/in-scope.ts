import type { Market } from '../market/series.ts';
import type { Scope } from './ports.ts';
import { ARCHIVE } from './resolve.ts';

/** Returns a filter for markets in scope; the archive is in scope only if it is named. */
export function inScope({ exchange, category }: Scope): (market: Market) => boolean {
  return (market) =>
    (exchange === undefined ? market.exchange !== ARCHIVE : market.exchange === exchange) &&
    (category === undefined || market.category === category);
}

/**
 * {@link inScope}, but without options unless the scope names them: an option's price is not its currency's
 * price.
 */
export function inMarket(scope: Scope): (market: Market) => boolean {
  const isInScope = inScope(scope);
  return (market) => isInScope(market) && (scope.category !== undefined || market.category !== 'option');
}
