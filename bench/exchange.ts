import type { Ticker } from '../core/market/ticker.ts';
import { type LoopbackServer, serveOnLoopback } from '../core/runtime/loopback-server.ts';

/** A server with Bybit's API whose linear market always has these tickers, and the others none. */
export function serveLinearTickers(list: readonly object[]): Promise<LoopbackServer> {
  const time = Date.parse('2026-01-01T00:00:00Z');
  const answerOf = (category: string | null, list: readonly object[]) =>
    JSON.stringify({ retCode: 0, retMsg: 'OK', result: { category, list }, retExtInfo: {}, time });
  const linear = answerOf('linear', list);
  return serveOnLoopback((request, response) => {
    const category = new URL(request.url ?? '', 'http://exchange').searchParams.get('category');
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(category === 'linear' ? linear : answerOf(category, []));
  }, 0);
}

/** A ticker as Bybit lists it. */
export function bybitTicker(ticker: Ticker): object {
  return {
    symbol: ticker.symbol,
    lastPrice: String(ticker.last_price),
    bid1Price: String(ticker.bid_price),
    ask1Price: String(ticker.ask_price),
    bid1Size: String(ticker.bid_size),
    ask1Size: String(ticker.ask_size),
    indexPrice: String(ticker.index_price),
    markPrice: String(ticker.mark_price),
    prevPrice1h: String(ticker.prev_price_1h),
    prevPrice24h: String(ticker.prev_price_24h),
    highPrice24h: String(ticker.high_price_24h),
    lowPrice24h: String(ticker.low_price_24h),
    price24hPcnt: String(ticker.price_24h_pcnt),
    volume24h: String(ticker.volume_24h),
    turnover24h: String(ticker.turnover_24h),
    openInterest: String(ticker.open_interest),
    openInterestValue: String(ticker.open_value),
    fundingRate: String(ticker.funding_rate),
    fundingIntervalHour: '8',
    fundingCap: '0.005',
  };
}
