import { describe, expect, it } from 'vitest';
import { marketFilter } from '../../../../exchanges/payload/market-filter.ts';

const MARKETS = [
  { symbol: 'BTC-USDT', quote: 'USDT' },
  { symbol: 'ETH-USDT', quote: 'USDT' },
  { symbol: 'BTC-EUR', quote: 'EUR' },
  { symbol: 'btc.x', quote: undefined },
];
const taken = (selection: Parameters<typeof marketFilter>[0]) =>
  MARKETS.filter(marketFilter(selection)).map(({ symbol }) => symbol);

describe('the markets of a source', () => {
  it('are all by default', () => {
    expect(taken({})).toHaveLength(4);
  });

  it('can be selected by patterns', () => {
    expect(taken({ symbols: { include: ['BTC-*'] } })).toEqual(['BTC-USDT', 'BTC-EUR']);
    expect(taken({ symbols: { include: ['BTC-*', 'ETH-USDT'], exclude: ['*EUR'] } })).toEqual([
      'BTC-USDT',
      'ETH-USDT',
    ]);
    expect(taken({ symbols: { exclude: ['*'] } })).toEqual([]);
  });

  it('match a pattern literally, except for the star', () => {
    expect(taken({ symbols: { include: ['BTC.X', 'B.C*', '[A-Z]*', 'BTC'] } })).toEqual(['btc.x']);
  });

  it('can be selected by quote currency, which leaves out markets whose quote is unknown', () => {
    expect(taken({ quote: 'usdt' })).toEqual(['BTC-USDT', 'ETH-USDT']);
    expect(taken({ quote: ['EUR', 'GBP'] })).toEqual(['BTC-EUR']);
  });
});
