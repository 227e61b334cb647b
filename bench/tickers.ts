import type { MSKEvent, MSKRecord } from 'aws-lambda';
import { formatSeries } from '../core/market/series.ts';
import { TICKER_VERSION, type Ticker } from '../core/market/ticker.ts';
import { HOUR_MS } from '../core/market/time.ts';
import { toMskEvent } from '../local/event-sources/batch.ts';
import { RecordQueue } from '../local/event-sources/record-queue.ts';

/** A seeded random generator, so that every run indexes the same documents. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // Mulberry32 (Tommy Ettinger, public domain).
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const SERIES = 600;
const FIRST_SLOT_MS = Date.parse('2026-01-01T00:00:00Z');
const INTERVAL_MS = 120_000;

/** Tickers like those of a linear market, poll after poll: about 800 bytes of JSON each. */
export function makeTickers(count: number, seed = 1): Ticker[] {
  const random = seededRandom(seed);
  const prices = Array.from({ length: SERIES }, () => 10 ** (random() * 9 - 4));
  const digits = (value: number, precision: number) => Number(value.toPrecision(precision));
  return Array.from({ length: count }, (_, position): Ticker => {
    const series = position % SERIES;
    const slotMs = FIRST_SLOT_MS + Math.floor(position / SERIES) * INTERVAL_MS;
    const last = (prices[series] as number) * (1 + (random() - 0.5) * 0.004);
    prices[series] = last;
    const slot = new Date(slotMs).toISOString();
    const change = digits((random() - 0.5) * 0.2, 4);
    return {
      v: TICKER_VERSION,
      exchange: 'bench',
      category: 'linear',
      symbol: `COIN${series}USDT`,
      base: `COIN${series}`,
      quote: 'USDT',
      slot,
      timestamp: new Date(slotMs + Math.floor(random() * 900)).toISOString(),
      received_at: new Date(slotMs + 1_000).toISOString(),
      last_price: digits(last, 7),
      bid_price: digits(last * 0.9999, 7),
      ask_price: digits(last * 1.0001, 7),
      bid_size: digits(random() * 10_000, 6),
      ask_size: digits(random() * 10_000, 6),
      index_price: digits(last * (1 + (random() - 0.5) * 0.001), 7),
      mark_price: digits(last * (1 + (random() - 0.5) * 0.001), 7),
      prev_price_1h: digits(last * (1 + (random() - 0.5) * 0.02), 7),
      prev_price_24h: digits(last / (1 + change), 7),
      high_price_24h: digits(last * 1.05, 7),
      low_price_24h: digits(last * 0.95, 7),
      price_24h_pcnt: change,
      volume_24h: digits(random() * 1e7, 9),
      turnover_24h: digits(random() * 1e9, 12),
      open_interest: digits(random() * 1e8, 9),
      open_value: digits(random() * 1e8, 11),
      funding_rate: digits(random() * 0.0002, 3),
      next_funding_time: new Date(slotMs + 4 * HOUR_MS).toISOString(),
      funding_interval_hours: 8,
      funding_cap: 0.005,
    };
  });
}

/** The events of up to 6 MB in which Lambda would deliver the tickers. */
export function toEvents(tickers: readonly Ticker[]): MSKEvent[] {
  const origin = {
    eventSourceArn: 'arn:aws:kafka:local:000000000000:cluster/bench/0',
    bootstrapServers: 'bench',
  };
  const queue = new RecordQueue({ maxRecords: 10_000, maxPayloadBytes: 6 * 1024 * 1024 }, origin);
  for (const [offset, ticker] of tickers.entries()) queue.push(toRecord(ticker, offset), 0);
  const events: MSKEvent[] = [];
  for (let batch = queue.take(); batch; batch = queue.take()) {
    events.push(toMskEvent(batch.records, origin));
  }
  return events;
}

function toRecord(ticker: Ticker, offset: number): MSKRecord {
  return {
    topic: 'tickers',
    partition: 0,
    offset,
    timestamp: Date.parse(ticker.received_at),
    timestampType: 'CREATE_TIME',
    key: Buffer.from(formatSeries(ticker)).toString('base64'),
    value: Buffer.from(JSON.stringify(ticker)).toString('base64'),
    headers: [],
  };
}
