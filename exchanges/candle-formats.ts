import type { ExchangeCandles } from '../core/operate/ports.ts';
import type { CandleApi, Exchange } from './exchange.ts';
import { onTheHour } from './payload/candles.ts';
import { EXCHANGES, pairBySpelling } from './registry.ts';

type CandleExchange = Exchange & { candles: CandleApi };

/** The exchanges whose candles we fetch ourselves. */
export const candleExchanges = EXCHANGES.filter((each): each is CandleExchange => each.candles !== undefined);

/** Reads the answers of exchanges that the lake keeps. */
export const candleFormats: Pick<ExchangeCandles, 'parse' | 'pairOf'> = {
  parse(format, symbol, content) {
    const exchange = candleExchanges.find(({ candles }) => candles.format === format);
    if (!exchange) throw new Error(`No exchange answers in the format ${format}`);
    return onTheHour(exchange.candles.shapeOf(symbol).parse(JSON.parse(content)));
  },
  pairOf: pairBySpelling,
};
