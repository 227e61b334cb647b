import type { Market } from '../market/series.ts';
import type { Scope } from './ports.ts';
import { ARCHIVE } from './resolve.ts';

/** Whether a market is in scope; the archive only if the scope names it. */
export function inScope({ exchange, category }: Scope): (market: Market) => boolean {
  return (market) =>
    (exchange === undefined ? market.exchange !== ARCHIVE : market.exchange === exchange) &&
    (category === undefined || market.category === category);
}

/** {@link inScope} without options, unless the scope names them: an option's price is not its currency's. */
export function inMarket(scope: Scope): (market: Market) => boolean {
  const isInScope = inScope(scope);
  return (market) => isInScope(market) && (scope.category !== undefined || market.category !== 'option');
}
