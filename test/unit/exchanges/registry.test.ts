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

  it.each([
    ['upbit', 'spot', 'KRW-BTC', { base: 'BTC', quote: 'KRW' }],
    ['upbit', 'spot', 'USDT-ETH', { base: 'ETH', quote: 'USDT' }],
    // Upbit means the price of ETH in BTC.
    ['upbit', 'spot', 'BTC-ETH', {}],
    ['kucoin', 'spot', 'ETH-BTC', { base: 'ETH', quote: 'BTC' }],
    ['deribit', 'inverse', 'BTC-PERPETUAL', { base: 'BTC' }],
    ['deribit', 'inverse', 'BTC-27DEC24', { base: 'BTC' }],
    ['deribit', 'linear', 'BTC_USDC-PERPETUAL', { base: 'BTC', quote: 'USDC' }],
    ['deribit', 'option', 'BTC-27DEC24-100000-C', { base: 'BTC' }],
    ['krakenfutures', 'linear', 'PF_XBTUSD', { base: 'BTC', quote: 'USD' }],
    ['krakenfutures', 'inverse', 'FI_ETHUSD_260327', { base: 'ETH', quote: 'USD' }],
    ['cryptocom', 'linear', 'BTCUSD-PERP', { base: 'BTC', quote: 'USD' }],
    ['bitfinex', 'spot', 'tBTCUSD', { base: 'BTC', quote: 'USD' }],
    ['bitfinex', 'spot', 'tDOGE:USD', { base: 'DOGE', quote: 'USD' }],
    ['htx', 'spot', 'btcusdt', { base: 'BTC', quote: 'USDT' }],
    ['bitbank', 'spot', 'btc_jpy', { base: 'BTC', quote: 'JPY' }],
    ['mine', 'spot', 'FOO-BAR', {}],
    ['mine', 'spot', 'GOLD', {}],
    ['mine', 'spot', 'ADAUSD', { base: 'ADA', quote: 'USD' }],
    ['mine', 'spot', 'XRPRLUSD', { base: 'XRP', quote: 'RLUSD' }],
    ['mine', 'spot', 'FOORLUSD', { base: 'FOO', quote: 'RLUSD' }],
    ['mine', 'spot', 'DOTUSD', { base: 'DOT', quote: 'USD' }],
    ['mine', 'spot', 'FOOTUSD', {}],
  ] as const)('of %s, %s, does not guess: %s is %j', (exchange, category, symbol, pair) => {
    expect(pairBySpelling({ exchange, category, symbol })).toEqual(pair);
  });
});
