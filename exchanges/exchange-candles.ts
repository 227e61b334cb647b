import type { CandleSource, ExchangeCandles } from '../core/operate/ports.ts';
import { candleSource, readCandleAnswer, whyNoCandles } from './http/candle-source.ts';
import { pairBySpelling } from './registry.ts';

/** The candles of the exchanges whose APIs we read ourselves. */
export function exchangeCandles(): ExchangeCandles {
  /** By exchange and base URL. They remember rate limits. */
  const sources = new Map<string, CandleSource>();
  return {
    whyNone: whyNoCandles,
    source(exchange, baseUrl) {
      const key = `${exchange} ${baseUrl ?? ''}`;
      const source = sources.get(key) ?? candleSource(exchange, baseUrl);
      sources.set(key, source);
      return source;
    },
    parse: (format, symbol, content) => readCandleAnswer(format, symbol, JSON.parse(content)),
    pairOf: pairBySpelling,
  };
}
