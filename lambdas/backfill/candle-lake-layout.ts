import { type CandleHours, type CandleSeries, HOUR_MS } from '../domain/candle.ts';
import { CATEGORIES, type Category } from '../domain/ticker.ts';

/**
 * How an object of recorded candles is written: `rows` are gzip NDJSON lines `[start ms, open, high, low, close,
 * volume]`; any other name is that of an exchange's API, whose answer is kept as it came, gzipped.
 */
export type CandleFormat = 'rows' | 'bybit-v5';

/** One object of recorded candles: a part of one series' history. */
export interface CandleObject extends Pick<CandleSeries, 'exchange' | 'category' | 'symbol'> {
  hours: CandleHours;
  /** The candles in it start in [firstMs, lastMs], epoch ms. */
  firstMs: number;
  lastMs: number;
  format: CandleFormat;
}

/** Everything recorded lies here, whether it came from an exchange or from a file. */
export const CANDLES_PREFIX = 'candles/';

const SUFFIX: Record<CandleFormat, string> = { rows: 'rows.ndjson.gz', 'bybit-v5': 'bybit-v5.json.gz' };

/** `candles/exchange=…/category=…/symbol=…/hours=…/<first>-<last>.<format>`: the same part has the same key. */
export function candleObjectKey(object: CandleObject): string {
  const { exchange, category, symbol, hours, firstMs, lastMs, format } = object;
  const folder = `exchange=${exchange}/category=${category}/symbol=${encodeURIComponent(symbol)}/hours=${hours}/`;
  return `${CANDLES_PREFIX}${folder}${firstMs}-${lastMs}.${SUFFIX[format]}`;
}

const KEY = /^candles\/exchange=([^/]+)\/category=([^/]+)\/symbol=([^/]+)\/hours=(1|24)\/(\d+)-(\d+)\.(.+)$/;

/** The reverse of {@link candleObjectKey}; undefined for a key that is none of ours. */
export function parseCandleObjectKey(key: string): CandleObject | undefined {
  const [, exchange, category, symbol, hours, first, last, suffix] = KEY.exec(key) ?? [];
  const format = (Object.keys(SUFFIX) as CandleFormat[]).find((each) => SUFFIX[each] === suffix);
  if (!exchange || !symbol || !format) return undefined;
  if (!(CATEGORIES as readonly (string | undefined)[]).includes(category)) return undefined;
  return {
    exchange,
    category: category as Category,
    symbol: decodeURIComponent(symbol),
    hours: hours === '24' ? 24 : 1,
    firstMs: Number(first),
    lastMs: Number(last),
    format,
  };
}

/** Whether candles of an object may start in [fromMs, toMs). */
export function overlaps({ firstMs, lastMs, hours }: CandleObject, fromMs: number, toMs: number): boolean {
  return firstMs < toMs && lastMs + hours * HOUR_MS > fromMs;
}
