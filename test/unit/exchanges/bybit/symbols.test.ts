import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATEGORIES, type Category } from '../../../../core/market/series.ts';
import { splitBybitSymbol } from '../../../../exchanges/bybit/symbols.ts';

describe('Bybit’s symbols', () => {
  it.each<[Category, string, { base?: string; quote?: string }]>([
    ['spot', 'BTCUSDT', { base: 'BTC', quote: 'USDT' }],
    ['spot', 'USDCUSDT', { base: 'USDC', quote: 'USDT' }],
    ['spot', 'ETHBTC', { base: 'ETH', quote: 'BTC' }],
    ['spot', 'USDTEUR', { base: 'USDT', quote: 'EUR' }],
    ['linear', '1000PEPEUSDT', { base: '1000PEPE', quote: 'USDT' }],
    ['linear', 'BTCPERP', { base: 'BTC', quote: 'USDC' }],
    ['spot', 'PERPUSDT', { base: 'PERP', quote: 'USDT' }],
    ['linear', 'BTC-26DEC25', { base: 'BTC' }],
    ['linear', 'BTCUSDT-26DEC25', { base: 'BTC', quote: 'USDT' }],
    ['inverse', 'BTCUSD', { base: 'BTC', quote: 'USD' }],
    ['inverse', 'BTCUSDH26', { base: 'BTC', quote: 'USD' }],
    ['option', 'BTC-30DEC22-18000-C', { base: 'BTC' }],
    ['spot', 'USDT', {}],
    ['spot', 'SOMETHING', {}],
    ['inverse', 'SOMETHING', {}],
    ['spot', '', {}],
  ])('%s %s is %j', (category, symbol, expected) => {
    expect(splitBybitSymbol(category, symbol)).toEqual(expected);
  });

  it('never have an empty base or quote', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CATEGORIES), fc.string(), (category, symbol) => {
        const { base, quote } = splitBybitSymbol(category, symbol);
        expect(base).not.toBe('');
        expect(quote).not.toBe('');
      }),
    );
  });
});
