import { describe, expect, it } from 'vitest';
import { tickerSchema } from '../../../../core/market/ticker.ts';
import { tradeOfTick } from '../../../../core/market/turnover.ts';
import { createCcxtSource } from '../../../../exchanges/ccxt/source.ts';
import { sourceNamed } from '../../../../exchanges/source-config.ts';
import { ccxtPayloads } from '../../../samples/recorded-payloads.ts';
import { SLOT } from '../../../samples/tickers.ts';
import { ExchangeServer } from '../exchange-server.ts';

/** By source: its live markets as series with base and quote, and those that ended. */
const EXPECTED: [source: string, live: string[], ended: string[]][] = [
  ['binance:spot', ['BTCUSDT BTC/USDT'], ['OLDUSDT']],
  ['binance:linear', ['BTCUSDT BTC/USDT'], []],
  ['binance:inverse', ['BTCUSD_PERP BTC/USD'], []],
  ['bybit:spot', ['BTCUSDT BTC/USDT'], []],
  ['bybit:linear', ['BTCUSDT BTC/USDT'], []],
  ['bybit:inverse', ['BTCUSD BTC/USD'], []],
  ['okx:spot', ['BTC-USDT BTC/USDT'], ['OLD-USDT']],
  ['okx:linear', ['BTC-USDT-SWAP BTC/USDT'], []],
  ['okx:inverse', ['BTC-USD-SWAP BTC/USD'], []],
  ['coinbase:spot', ['BTC-USD BTC/USD'], ['OLD-USD']],
  ['bitget:spot', ['BTCUSDT BTC/USDT'], ['OLDUSDT']],
  ['bitget:linear', ['BTCUSDT BTC/USDT', 'BTCPERP BTC/USDC'], []],
  ['bitget:inverse', ['BTCUSD BTC/USD'], []],
  ['gate:spot', ['BTC_USDT BTC/USDT'], ['OLD_USDT']],
  ['gate:linear', ['BTC_USDT BTC/USDT'], []],
  ['gate:inverse', ['BTC_USD BTC/USD'], []],
  ['mexc:spot', ['BTCUSDT BTC/USDT'], ['OLDUSDT']],
  ['mexc:linear', ['BTC_USDT BTC/USDT'], []],
  ['mexc:inverse', ['BTC_USD BTC/USD'], []],
  ['htx:spot', ['btcusdt BTC/USDT'], ['oldusdt']],
  ['htx:linear', ['BTC-USDT BTC/USDT'], []],
  ['htx:inverse', ['BTC-USD BTC/USD'], []],
  ['kucoin:spot', ['BTC-USDT BTC/USDT'], ['OLD-USDT']],
  ['kucoin:linear', ['XBTUSDTM BTC/USDT'], []],
  ['kucoin:inverse', ['XBTUSDM BTC/USD'], []],
  ['kraken:spot', ['XXBTZUSD BTC/USD'], []],
  ['krakenfutures:linear', ['PF_XBTUSD BTC/USD'], []],
  ['krakenfutures:inverse', ['PI_XBTUSD BTC/USD'], []],
];

/** In millions of the quote currency: what the payloads trade in 24 hours. */
const TURNOVER = { spot: 950, linear: 6_650, inverse: 190, option: 0 };

describe.concurrent('the ten largest exchanges through ccxt', () => {
  // Mexc's limiter lets a poll wait five seconds.
  it.each(EXPECTED)(
    '%s gives its live markets, with turnover in the quote currency',
    async (name, live, ended) => {
      const server = new ExchangeServer();
      await server.start();
      server.serve(ccxtPayloads(name.split(':')[0] ?? ''));
      const source = createCcxtSource(sourceNamed(`ccxt:${name}`), { baseUrl: server.url });
      const [outcome] = await source.fetch(source.categories, {
        slot: SLOT,
        deadlineMs: Date.now() + 25_000,
      });
      await server.stop();
      if (!outcome || 'error' in outcome) throw outcome?.error;
      const { tickers, rejected, absent = [] } = outcome.batch;
      expect(rejected).toEqual([]);
      expect(tickers.map(({ symbol, base, quote }) => `${symbol} ${base}/${quote}`)).toEqual(live);
      expect(absent.map(({ symbol, kind }) => `${kind} ${symbol}`)).toEqual(
        ended.map((each) => `ended ${each}`),
      );
      const [ticker] = tickers;
      expect(tickerSchema.parse(ticker)).toEqual(ticker);
      expect(ticker?.last_price).toBeCloseTo(95_000, -1);
      const turnover = ticker && tradeOfTick(ticker).turnover;
      expect(turnover).toBeGreaterThan(TURNOVER[outcome.category] * 0.98e6);
      expect(turnover).toBeLessThan(TURNOVER[outcome.category] * 1.02e6);
    },
    30_000,
  );
});
