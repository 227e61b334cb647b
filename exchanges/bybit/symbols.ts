import type { Category, CurrencyPair } from '../../core/market/series.ts';
import { splitByQuote } from '../payload/pair.ts';

/**
 * Splits `BTCUSDT`, `BTCPERP` (settled in USDC), `BTC-26DEC25` (a dated USDC future), `BTCUSDH26` (a dated
 * inverse future), `BTC-30DEC22-18000-C` (an option), where the spelling allows it.
 */
export function splitBybitSymbol(
  category: Category,
  symbol: string,
  quotes?: readonly string[],
): CurrencyPair {
  const dated = /^([A-Z0-9]+)-\d{1,2}[A-Z]{3}\d{2}/.exec(symbol)?.[1];
  if (dated) return { base: dated, ...splitByQuote(dated, quotes) };
  if (category === 'inverse') {
    const base = /^([A-Z0-9]+)USD([FGHJKMNQUVXZ]\d{2})?$/.exec(symbol)?.[1];
    return base ? { base, quote: 'USD' } : {};
  }
  const perpetual = category === 'linear' ? /^([A-Z0-9]+)PERP$/.exec(symbol)?.[1] : undefined;
  return perpetual ? { base: perpetual, quote: 'USDC' } : splitByQuote(symbol, quotes);
}
