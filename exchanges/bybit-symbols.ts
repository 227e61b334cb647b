import type { Category } from '../core/market/series.ts';
import { splitPair } from './pair-symbols.ts';

/** Quote currencies of Bybit's spot and linear markets; a longer one is tried before its own suffix. */
const QUOTES = [
  'USDT', 'USDC', 'USDE', 'USDQ', 'USDR', 'USD1', 'USD', 'EUR', 'GBP', 'BRL', 'PLN', 'TRY', 'BRZ', 'DAI',
  'MNT', 'BTC', 'ETH', 'SOL', 'XRP',
]; // biome-ignore format: a list reads better as one

/**
 * Base and quote where Bybit's spelling tells: `BTCUSDT`, `BTCPERP` (settled in USDC), `BTC-26DEC25`
 * (a dated USDC future), `BTCUSDH26` (a dated inverse future), `BTC-30DEC22-18000-C` (an option).
 * Left out where it does not.
 */
export function splitBybitSymbol(category: Category, symbol: string): { base?: string; quote?: string } {
  const dashed = /^([A-Z0-9]+)-\d{1,2}[A-Z]{3}\d{2}/.exec(symbol);
  if (dashed?.[1]) return splitPair(dashed[1], QUOTES) ?? { base: dashed[1] };
  if (category === 'inverse') {
    const base = /^([A-Z0-9]+)USD([FGHJKMNQUVXZ]\d{2})?$/.exec(symbol)?.[1];
    return base ? { base, quote: 'USD' } : {};
  }
  const perpetual = category === 'linear' ? /^([A-Z0-9]+)PERP$/.exec(symbol)?.[1] : undefined;
  if (perpetual) return { base: perpetual, quote: 'USDC' };
  return splitPair(symbol, QUOTES) ?? {};
}
