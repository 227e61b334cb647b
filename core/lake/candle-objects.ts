import type { CandleSeries } from '../market/candle.ts';
import type { CandleHours } from '../market/price-path.ts';
import { isCategory, type Series } from '../market/series.ts';
import { HOUR_MS, LATEST_MS } from '../market/time.ts';

/**
 * The format of recorded candles: `rows` are gzip NDJSON lines `[start ms, open, high, low, close, volume]`; any other
 * name is an exchange's `CandleApi.format`, whose answer is stored unchanged, gzipped.
 */
export type CandleFormat = string;

/** An object that holds part of one series' recorded candles. */
export interface CandleObject extends CandleSeries {
  hours: CandleHours;
  /** Its candles start in [firstMs, lastMs], epoch ms. */
  firstMs: number;
  lastMs: number;
  format: CandleFormat;
  /** The run of `backfill` that wrote it, which can be undone; objects of the market replay and older ones have none. */
  run?: string | undefined;
}

/** Candles from exchanges and from files. */
export const CANDLES_PREFIX = 'candles/';

/** The prefix of one series' candles. */
export function candlesPrefixOf({ exchange, category, symbol }: Series): string {
  return `${CANDLES_PREFIX}${foldersOf({ exchange, category, symbol })}`;
}

const foldersOf = (parts: object) =>
  Object.entries(parts)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}/`)
    .join('');

function suffixOf(format: CandleFormat): string {
  return format === 'rows' ? 'rows.ndjson.gz' : `${format}.json.gz`;
}

/**
 * `candles/exchange=…/category=…/symbol=…/base=…/quote=…/hours=…/run=…/<first>-<last>.<format>`: the same part of a run has
 * the same key. Base and quote are included if known, because they do not always follow from the symbol.
 */
export function candleObjectKey(object: CandleObject): string {
  const { exchange, category, symbol, base, quote, hours, firstMs, lastMs, format, run } = object;
  const pair = base && quote ? { base, quote } : {};
  const folder = foldersOf({ exchange, category, symbol, ...pair, hours, ...(run ? { run } : {}) });
  return `${CANDLES_PREFIX}${folder}${firstMs}-${lastMs}.${suffixOf(format)}`;
}

const KEY =
  /^candles\/exchange=([^/]+)\/category=([^/]+)\/symbol=([^/]+)\/(?:base=([^/]+)\/quote=([^/]+)\/)?hours=(1|24)\/(?:run=([^/]+)\/)?(\d+)-(\d+)\.(?:(rows)\.ndjson|([a-z0-9-]+)\.json)\.gz$/;

/** The reverse of {@link candleObjectKey}; undefined for any other key, such as one whose time does not exist. */
export function parseCandleObjectKey(key: string): CandleObject | undefined {
  const [, exchange, category, symbol, base, quote, hours, run, ...part] = KEY.exec(key) ?? [];
  const [first, last, rows, api] = part;
  const format = rows ?? api;
  if (!exchange || !isCategory(category) || !symbol || !format || !isEncoded(key)) return undefined;
  const object = {
    exchange,
    category,
    symbol: decodeURIComponent(symbol),
    ...(base && quote ? { base: decodeURIComponent(base), quote: decodeURIComponent(quote) } : {}),
    hours: hours === '24' ? 24 : (1 as CandleHours),
    firstMs: Number(first),
    lastMs: Number(last),
    format,
    ...(run ? { run: decodeURIComponent(run) } : {}),
  };
  return object.firstMs <= object.lastMs && object.lastMs <= LATEST_MS && candleObjectKey(object) === key
    ? object
    : undefined;
}

function isEncoded(key: string): boolean {
  try {
    return decodeURIComponent(key) !== '';
  } catch {
    return false; // such as `%zz`, which would make every listing fail
  }
}

/** Whether an object may have candles in [fromMs, toMs). */
export function overlaps({ firstMs, lastMs, hours }: CandleObject, fromMs: number, toMs: number): boolean {
  return firstMs < toMs && lastMs + hours * HOUR_MS > fromMs;
}
