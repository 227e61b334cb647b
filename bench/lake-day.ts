import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { packLines } from '../core/lake/ndjson.ts';
import { tickersKey } from '../core/lake/ticker-objects.ts';
import type { Ticker } from '../core/market/ticker.ts';
import { TICKER_FIELDS } from '../core/market/ticker-fields.ts';
import { MINUTE_MS } from '../core/market/time.ts';
import { recordedTickers } from './recorded-tickers.ts';
import { seededRandom } from './tickers.ts';

export const DAY_MARKET = { exchange: 'bench', category: 'linear' } as const;
export const DAY = '2024-03-01';
const POLLS = 720;
const SYMBOLS = 1_667;
export const DAY_ROWS = POLLS * SYMBOLS;
/** How many the four currencies have in all. */
const RECORDED = 70_000;
const DIGITS = 9;

/**
 * Puts a day of a large market into a lake: 720 polls of 1,667 symbols. Their prices are recorded ones of four currencies,
 * each symbol from another time on and times a factor of its own, since no two symbols of a market have the same prices.
 * @param onObject gets each object's bytes
 * @returns bytes of all objects
 */
export async function putDay(
  s3: S3Client,
  bucket: string,
  onObject: (body: Uint8Array, poll: number) => Promise<void>,
): Promise<number> {
  const bySymbol = Map.groupBy(await recordedTickers(RECORDED), ({ symbol }) => symbol);
  const recorded = [...bySymbol.values()];
  const random = seededRandom(1);
  const factors = Array.from({ length: SYMBOLS }, () => 10 ** (random() * 6 - 4));
  let bytes = 0;
  for (let poll = 0; poll < POLLS; poll += 1) {
    const slotMs = Date.parse(`${DAY}T00:00:00.000Z`) + poll * 2 * MINUTE_MS;
    const lines = factors.map((factor, index) => {
      const series = recorded[index % recorded.length] ?? [];
      const ticker = series[(index * 37 + poll) % series.length] as Ticker;
      return JSON.stringify(tickerOf(ticker, `COIN${index}`, factor, slotMs));
    });
    const body = await packLines(lines);
    bytes += body.length;
    const Key = tickersKey({ ...DAY_MARKET, slotMs });
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: body }));
    await onObject(body, poll);
  }
  return bytes;
}

function tickerOf(recorded: Ticker, base: string, factor: number, slotMs: number): Ticker {
  const iso = (ms: number) => new Date(ms).toISOString();
  const scaled = Object.entries(recorded).map(([field, value]) => {
    const kind = TICKER_FIELDS[field as keyof typeof TICKER_FIELDS];
    const isAmount =
      typeof value === 'number' && (kind === 'price' || /^(volume|turnover|open)_/.test(field));
    return [field, isAmount ? Number((value * factor).toPrecision(DIGITS)) : value];
  });
  const times = { slot: iso(slotMs), timestamp: iso(slotMs + 137), received_at: iso(slotMs + 421) };
  return { ...Object.fromEntries(scaled), ...DAY_MARKET, symbol: `${base}USD`, base, ...times } as Ticker;
}
