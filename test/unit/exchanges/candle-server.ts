import type { RecordedPrices } from '../../../core/market/candle.ts';
import { HOUR_MS } from '../../../core/market/time.ts';
import { readHistory } from '../../../local/history-files/read-history.ts';
import { HOURLY_HISTORY } from '../local/market-replay/bundled-history.ts';
import type { ExchangeServer, ServedAnswer } from './exchange-server.ts';

/** One market's hours, in time order; the last one is running. */
export interface ServedMarket {
  candles: readonly RecordedPrices[];
}

/** Real hours of 2018, in time order. */
export async function recordedHours(): Promise<RecordedPrices[]> {
  const rows = await readHistory(HOURLY_HISTORY);
  return rows
    .filter(({ symbol }) => symbol === 'BTCUSD')
    .map(({ startMs, open, high, low, close }) => ({ startMs, open, high, low, close }));
}

/** The market's name at each exchange. */
export const SYMBOLS = {
  bybit: 'BTCUSDT',
  binance: 'BTCUSDT',
  okx: 'BTC-USDT',
  kraken: 'XXBTZUSD',
  coinbase: 'BTC-USD',
  gate: 'BTC_USDT',
} as const;

/** Each exchange's path for candles. */
export const CANDLE_PATHS = {
  bybit: '/v5/market/kline',
  binance: '/api/v3/klines',
  okx: '/api/v5/market/history-candles',
  kraken: '/0/public/OHLC',
  coinbase: `/products/${SYMBOLS.coinbase}/candles`,
  gate: '/api/v4/spot/candlesticks',
} as const;

/**
 * Makes a server speak each exchange’s API of hourly candles, with its limits and its order,
 * and Gate’s list of markets, which ccxt needs.
 */
export function serveCandles(server: ExchangeServer, { candles }: ServedMarket): void {
  const within = (fromMs: number, toMs: number) =>
    candles.filter(({ startMs }) => startMs >= fromMs && startMs <= toMs);
  const isRunning = ({ startMs }: RecordedPrices) => startMs === candles.at(-1)?.startMs;
  const text = ({ open, high, low, close }: RecordedPrices) => [open, high, low, close].map(String);
  const route = (path: string, answer: (query: URLSearchParams) => ServedAnswer) =>
    server.routes.set(path, answer);
  const number = (query: URLSearchParams, name: string, otherwise: number) =>
    Number(query.get(name) ?? otherwise);

  route(CANDLE_PATHS.bybit, (query) => {
    const result = { category: query.get('category'), symbol: query.get('symbol') };
    if (result.symbol !== SYMBOLS.bybit) {
      return { body: { retCode: 10001, retMsg: 'params error: symbol invalid', result: {}, time: 1 } };
    }
    const limit = Math.min(1_000, number(query, 'limit', 200));
    const list = within(number(query, 'start', 0), number(query, 'end', Number.MAX_SAFE_INTEGER))
      .toReversed()
      .slice(0, limit)
      .map((each) => [String(each.startMs), ...text(each), '1', '1']);
    return { body: { retCode: 0, retMsg: 'OK', result: { ...result, list }, time: 1 } };
  });

  for (const [path, most] of [
    [CANDLE_PATHS.binance, 1_000],
    ['/fapi/v1/klines', 1_500],
  ] as const) {
    route(path, (query) => {
      if (query.get('symbol') !== SYMBOLS.binance) {
        return { status: 400, body: { code: -1121, msg: 'Invalid symbol.' } };
      }
      const limit = Math.min(most, number(query, 'limit', 500));
      const body = within(number(query, 'startTime', 0), number(query, 'endTime', Number.MAX_SAFE_INTEGER))
        .slice(0, limit)
        .map((each) => [each.startMs, ...text(each), '1', each.startMs + HOUR_MS - 1, '1', 1, '1', '1', '0']);
      return { headers: { 'x-mbx-used-weight-1m': '2' }, body };
    });
  }

  route(CANDLE_PATHS.okx, (query) => {
    if (query.get('instId') !== SYMBOLS.okx) {
      return { body: { code: '51001', msg: 'Instrument ID does not exist', data: [] } };
    }
    const limit = Math.min(100, number(query, 'limit', 100));
    const data = within(number(query, 'before', -1) + 1, number(query, 'after', Number.MAX_SAFE_INTEGER) - 1)
      .toReversed()
      .slice(0, limit)
      .map((each) => [String(each.startMs), ...text(each), '1', '1', '1', isRunning(each) ? '0' : '1']);
    return { body: { code: '0', msg: '', data } };
  });

  route(CANDLE_PATHS.kraken, (query) => {
    if (![SYMBOLS.kraken, 'XBTUSD'].includes(query.get('pair') ?? '')) {
      return { body: { error: ['EQuery:Unknown asset pair'] } };
    }
    const sinceMs = number(query, 'since', 0) * 1_000;
    const kept = candles.slice(-720).filter((each) => each.startMs > sinceMs || isRunning(each));
    const rows = kept.map((each) => [each.startMs / 1_000, ...text(each), '1', '1', 1]);
    return {
      body: { error: [], result: { [SYMBOLS.kraken]: rows, last: (candles.at(-2)?.startMs ?? 0) / 1_000 } },
    };
  });

  route(CANDLE_PATHS.coinbase, (query) => {
    const [fromMs, toMs] = [Date.parse(query.get('start') ?? ''), Date.parse(query.get('end') ?? '')];
    if ((toMs - fromMs) / HOUR_MS + 1 > 300) {
      return {
        status: 400,
        body: {
          message:
            'granularity too small for the requested time range. Count of aggregations requested exceeds 300',
        },
      };
    }
    // "Some of those candles may precede your declared start value."
    const body = within(fromMs - HOUR_MS, toMs)
      .toReversed()
      .map(({ startMs, open, high, low, close }) => [startMs / 1_000, low, high, open, close, 1]);
    return { body };
  });

  route(CANDLE_PATHS.gate, (query) => {
    const body = within(
      number(query, 'from', 0) * 1_000,
      number(query, 'to', Number.MAX_SAFE_INTEGER) * 1_000,
    )
      .slice(0, 1_000)
      .map((each) => {
        const [open, high, low, close] = text(each);
        return [String(each.startMs / 1_000), '1', close, high, low, open, '1', String(!isRunning(each))];
      });
    return { body };
  });
  route('/api/v4/spot/currency_pairs', () => ({
    body: [
      {
        id: SYMBOLS.gate,
        base: 'BTC',
        quote: 'USDT',
        fee: '0.2',
        amount_precision: 4,
        precision: 1,
        trade_status: 'tradable',
      },
    ],
  }));
  route('/api/v4/margin/currency_pairs', () => ({ body: [] }));
}
