import type { CandleHours, CandleSeries } from '../market/candle.ts';
import { isCategory } from '../market/series.ts';
import { HOUR_MS } from '../market/time.ts';

/**
 * How an object of recorded candles is written: `rows` are gzip NDJSON lines `[start ms, open, high, low, close,
 * volume]`; any other name is an exchange's `CandleApi.format`, whose answer is kept unchanged, gzipped.
 */
export type CandleFormat = string;

/** One object of recorded candles: a part of one series' history. */
export interface CandleObject extends CandleSeries {
  hours: CandleHours;
  /** The candles in it start in [firstMs, lastMs], epoch ms. */
  firstMs: number;
  lastMs: number;
  format: CandleFormat;
}

/** Everything recorded lies here, whether it came from an exchange or from a file. */
export const CANDLES_PREFIX = 'candles/';

function suffixOf(format: CandleFormat): string {
  return format === 'rows' ? 'rows.ndjson.gz' : `${format}.json.gz`;
}

/**
 * `candles/exchange=…/category=…/symbol=…/base=…/quote=…/hours=…/<first>-<last>.<format>`: the same part has the same
 * key. Base and quote are there where the exchange told them: its spelling alone may not.
 */
export function candleObjectKey(object: CandleObject): string {
  const { exchange, category, symbol, base, quote, hours, firstMs, lastMs, format } = object;
  const pair = base && quote ? { base, quote } : {};
  const folders = Object.entries({ exchange, category, symbol, ...pair, hours });
  const folder = folders.map(([name, value]) => `${name}=${encodeURIComponent(value)}/`).join('');
  return `${CANDLES_PREFIX}${folder}${firstMs}-${lastMs}.${suffixOf(format)}`;
}

const KEY =
  /^candles\/exchange=([^/]+)\/category=([^/]+)\/symbol=([^/]+)\/(?:base=([^/]+)\/quote=([^/]+)\/)?hours=(1|24)\/(\d+)-(\d+)\.(?:(rows)\.ndjson|([a-z0-9-]+)\.json)\.gz$/;

/** The reverse of {@link candleObjectKey}; undefined for a key that is none of ours. */
export function parseCandleObjectKey(key: string): CandleObject | undefined {
  const [, exchange, category, symbol, base, quote, hours, first, last, rows, api] = KEY.exec(key) ?? [];
  const format = rows ?? api;
  if (!exchange || !isCategory(category) || !symbol || !format) return undefined;
  return {
    exchange,
    category,
    symbol: decodeURIComponent(symbol),
    ...(base && quote ? { base: decodeURIComponent(base), quote: decodeURIComponent(quote) } : {}),
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
