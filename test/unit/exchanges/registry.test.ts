import { describe, expect, it } from 'vitest';
import { pairBySpelling } from '../../../exchanges/registry.ts';

describe('the spelling of a symbol', () => {
  it.each([
    ['bybit', 'linear', 'BTCPERP', 'BTC', 'USDC'],
    ['bybit', 'inverse', 'BTCUSDH26', 'BTC', 'USD'],
    ['binance', 'spot', 'BTCFDUSD', 'BTC', 'FDUSD'],
    ['binance', 'linear', 'BTCUSDT_260327', 'BTC', 'USDT'],
    ['okx', 'linear', 'BTC-USDT-SWAP', 'BTC', 'USDT'],
    ['okx', 'inverse', 'BTC-USD-SWAP', 'BTC', 'USD'],
    ['kraken', 'spot', 'XXBTZUSD', 'BTC', 'USD'],
    ['kraken', 'spot', 'ADAEUR', 'ADA', 'EUR'],
    ['coinbase', 'spot', 'BTC-USD', 'BTC', 'USD'],
    ['gate', 'spot', 'BTC_USDT', 'BTC', 'USDT'],
    ['recorded', 'spot', 'BTCUSD', 'BTC', 'USD'],
    ['constructor', 'spot', 'BTC/USD', 'BTC', 'USD'],
  ] as const)('of %s, %s, gives base and quote: %s', (exchange, category, symbol, base, quote) => {
    expect(pairBySpelling({ exchange, category, symbol })).toEqual({ base, quote });
  });

  it('may give neither', () => {
    expect(pairBySpelling({ exchange: 'mine', category: 'spot', symbol: 'GOLD' })).toEqual({});
  });
});
