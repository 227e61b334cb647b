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

describe('which markets a source takes', () => {
  it('is all of them where nothing is said', () => {
    expect(taken({})).toHaveLength(4);
  });

  it('can be said by patterns', () => {
    expect(taken({ symbols: { include: ['BTC-*'] } })).toEqual(['BTC-USDT', 'BTC-EUR']);
    expect(taken({ symbols: { include: ['BTC-*', 'ETH-USDT'], exclude: ['*EUR'] } })).toEqual([
      'BTC-USDT',
      'ETH-USDT',
    ]);
    expect(taken({ symbols: { exclude: ['*'] } })).toEqual([]);
  });

  it('takes everything but the star as it is written', () => {
    expect(taken({ symbols: { include: ['BTC.X', 'B.C*', '[A-Z]*', 'BTC'] } })).toEqual(['btc.x']);
  });

  it('can be said by quote currency, which leaves out markets whose quote nobody knows', () => {
    expect(taken({ quote: 'usdt' })).toEqual(['BTC-USDT', 'ETH-USDT']);
    expect(taken({ quote: ['EUR', 'GBP'] })).toEqual(['BTC-EUR']);
  });
});
