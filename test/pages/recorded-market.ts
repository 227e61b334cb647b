import type { Client } from '@opensearch-project/opensearch';
import {
  type Candle,
  candleFromHistory,
  candleFromTicks,
  candleId,
  withLogReturn,
} from '../../core/market/candle.ts';
import { type Move, moveId, moveOf, movesOf } from '../../core/market/directional-change.ts';
import { candleIndexOf, tickerIndexOf } from '../../core/market/index-names.ts';
import { formatSeries } from '../../core/market/series.ts';
import { type Ticker, tickerId } from '../../core/market/ticker.ts';
import { hourOf } from '../../core/market/time.ts';
import type { RecordedRow } from '../../core/operate/backfill/row-parts.ts';
import { readHistory } from '../../local/history-files/read-history.ts';
import { REPLAY_START_MS, ReplayMarket, type SpotTicker } from '../../local/market-replay/replay-market.ts';
import { OpenSearchBulk } from '../../stores/opensearch/bulk.ts';
import type { BulkAction } from '../../stores/opensearch/bulk-request.ts';
import { candleRecord } from '../../stores/opensearch/candle-record.ts';
import { indexTemplates } from '../../stores/opensearch/index-templates.ts';

const data = (name: string) => new URL(`../../data/${name}`, import.meta.url).pathname;

/** Everything the pipeline would have stored after some days of the market replay. */
export interface RecordedMarket {
  candles: Candle[];
  tickers: Ticker[];
  moves: Move[];
  /** The slot of the last poll, epoch ms. */
  nowMs: number;
}

/** Seven days of polls, and the months and years before them as candles; all hours are summarised. */
export async function recordedMarket(days = 7): Promise<RecordedMarket> {
  const hourly = await readHistory(data('hourly-2018.csv.gz'));
  const daily = await readHistory(data('daily-2018-2021.csv.gz'));
  const market = new ReplayMarket(hourly);
  const endMs = REPLAY_START_MS + days * 86_400_000;
  const tickers: Ticker[] = [];
  let nowMs = REPLAY_START_MS;
  for (let slot = market.firstSlot(); slot !== undefined && slot < endMs; slot = market.nextSlot(slot)) {
    const slotMs = slot;
    nowMs = slotMs;
    tickers.push(...market.tickersAt(slotMs).map((ticker) => tickerOf(ticker, slotMs)));
  }
  const candles = withReturns([
    ...hourly
      .filter(({ startMs }) => startMs < REPLAY_START_MS)
      .map((row) => historyCandle(row, 'recorded', 1)),
    ...tickCandles(tickers),
    ...daily.map((row) => historyCandle(row, 'archive', 24)),
  ]);
  return {
    candles,
    tickers,
    moves: movesIn(candles.filter(({ exchange }) => exchange === 'recorded')),
    nowMs,
  };
}

function historyCandle(row: RecordedRow, exchange: string, hours: 1 | 24): Candle {
  const series = {
    exchange,
    category: 'spot',
    symbol: row.symbol,
    base: row.symbol.slice(0, 3),
    quote: 'USD',
  } as const;
  return candleFromHistory(series, row, hours);
}

function tickCandles(tickers: readonly Ticker[]): Candle[] {
  const byHour = Map.groupBy(tickers, (ticker) => `${ticker.symbol} ${hourOf(Date.parse(ticker.slot))}`);
  return [...byHour.values()].map((ticks) => {
    const { exchange, category, symbol, base = '', quote = '', slot } = ticks[0] as Ticker;
    return candleFromTicks(
      { exchange, category, symbol, base, quote },
      hourOf(Date.parse(slot)),
      ticks.map((tick) => ({ slotMs: Date.parse(tick.slot), price: tick.last_price })),
    );
  });
}

function withReturns(candles: Candle[]): Candle[] {
  return [...Map.groupBy(candles, formatSeries).values()].flatMap((of) => {
    const sorted = of.toSorted((a, b) => a.startMs - b.startMs);
    return sorted.map((candle, index) => withLogReturn(candle, sorted[index - 1]));
  });
}

/** The moves along the whole paths, at the default thresholds. */
function movesIn(candles: readonly Candle[]): Move[] {
  return [...Map.groupBy(candles, formatSeries).values()].flatMap((of) => {
    const path = of.flatMap(({ startMs, path: points }) =>
      points.map(([offsetMs, price]): [number, number] => [startMs + offsetMs, price]),
    );
    const series = of[0] as Candle;
    return [0.01, 0.02, 0.05, 0.1].flatMap((threshold) =>
      movesOf(path, threshold).map((move) => moveOf(series, move)),
    );
  });
}

/** The bundled history has neither: a spread of 5 basis points, and a funding rate of one. */
const quoted = (price: number) => ({
  bid_price: price * 0.9998,
  ask_price: price * 1.0003,
  funding_rate: 0.0001,
});

function tickerOf(spot: SpotTicker, slotMs: number): Ticker {
  const slot = new Date(slotMs).toISOString();
  const numbers = {
    price_24h_pcnt: spot.price24hPcnt,
    high_price_24h: spot.highPrice24h,
    low_price_24h: spot.lowPrice24h,
    turnover_24h: spot.turnover24h,
  };
  return {
    v: 1,
    exchange: 'recorded',
    category: 'spot',
    symbol: spot.symbol,
    base: spot.symbol.slice(0, 3),
    quote: 'USD',
    slot,
    timestamp: slot,
    received_at: slot,
    last_price: Number(spot.lastPrice),
    ...quoted(Number(spot.lastPrice)),
    ...Object.fromEntries(
      Object.entries(numbers).flatMap(([field, text]) => (text === '' ? [] : [[field, Number(text)]])),
    ),
  };
}

/** Installs the templates and stores exactly this market, searchable; deletes what another test file stored. */
export async function storeMarket(client: Client, market: RecordedMarket): Promise<void> {
  if (await isStored(client, market)) return;
  await clearMarket(client);
  const { candles, tickers, moves } = market;
  const templates = indexTemplates({ shards: 1, replicas: 0, refreshInterval: '1s' });
  for (const [name, body] of Object.entries(templates)) {
    await client.indices.putIndexTemplate({ name, body });
  }
  const actions: BulkAction[] = [
    ...candles.map((candle) => stored(candleIndexOf(candle.startMs), candleId(candle), candleRecord(candle))),
    ...tickers.map((ticker) => stored(tickerIndexOf(ticker.slot), tickerId(ticker), ticker)),
    ...moves.map((move) => stored('moves', moveId(move), move)),
  ];
  const outcomes = await new OpenSearchBulk(client).write(actions, Date.now() + 170_000);
  const failed = outcomes.find(({ kind }) => kind !== 'stored');
  if (failed) throw new Error(`The recorded market was not stored: ${JSON.stringify(failed)}`);
  await client.indices.refresh({ index: 'tickers-*,candles-*,moves' });
}

async function isStored(client: Client, { candles, tickers, moves }: RecordedMarket): Promise<boolean> {
  const counted = { 'candles-*': candles.length, 'tickers-*': tickers.length, 'moves*': moves.length };
  const agree = Object.entries(counted).map(
    async ([index, count]) => (await client.count({ index })).body.count === count,
  );
  return (await Promise.all(agree)).every(Boolean);
}

/** Deletes everything {@link storeMarket} stored. */
async function clearMarket(client: Client): Promise<void> {
  const { body } = await client.indices.get({ index: 'tickers-*,candles-*,moves*', allow_no_indices: true });
  const names = Object.keys(body);
  if (names.length > 0) await client.indices.delete({ index: names.join(',') });
}

function stored(index: string, id: string, source: object): BulkAction {
  return { kind: 'index', index, id, source: JSON.stringify(source) };
}
