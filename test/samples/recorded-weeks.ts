import type { QuestionInput } from '../../core/insights/question.ts';
import { pathOf } from '../../core/insights/window-moves.ts';
import { type Candle, candleFromHistory, candleFromTicks, withLogReturn } from '../../core/market/candle.ts';
import { type Move, moveOf, movesOf } from '../../core/market/directional-change.ts';
import { type CandlePrices, candlePath, type PathPoint } from '../../core/market/price-path.ts';
import { formatSeries } from '../../core/market/series.ts';
import type { Ticker } from '../../core/market/ticker.ts';
import { dayOf, MINUTE_MS } from '../../core/market/time.ts';
import { readHistory } from '../../local/history-files/read-history.ts';
import { InMemoryStore } from '../unit/core/insights/in-memory-store.ts';
import { DAILY_HISTORY, HOURLY_HISTORY } from '../unit/local/market-replay/bundled-history.ts';
import { sampleTicker } from './tickers.ts';

const ms = (text: string) => Date.parse(`${text}Z`);
export const NOW = '2018-03-20T10:50:00.000Z';
/** Backfilled hours before, ticks from here on. */
const TICKS_FROM_MS = ms('2018-03-10T00:00');
/** From here on the ticks are not summarised. */
const TICKS_ONLY_FROM_MS = ms('2018-03-20T09:00');
export const SYMBOLS = ['BTCUSD', 'ETHUSD', 'ADAUSD'];
export const CHANGE = 0.0123;

/** Hours of one day were added up from rows that cover a part of an hour, so their paths do not follow from their prices. */
function isAddedUp({ symbol, startMs }: { symbol: string; startMs: number }): boolean {
  return symbol === 'ETHUSD' && dayOf(startMs) === ms('2018-02-10T00:00');
}

function zigzagOf({ open, high, low, close }: CandlePrices): PathPoint[] {
  return [open, low, high, low, high, close].map((price, at) => [at * 10 * MINUTE_MS, price]);
}

/** Some weeks of the bundled history as the pipeline stores it: backfilled, then ticks, the last hours not summarised. */
async function recordedHours(): Promise<{ candles: Candle[]; tickers: Ticker[] }> {
  const rows = (await readHistory(HOURLY_HISTORY)).filter(
    ({ symbol, startMs }) => SYMBOLS.includes(symbol) && startMs < ms('2018-03-20T11:00'),
  );
  const candles: Candle[] = [];
  const tickers: Ticker[] = [];
  for (const row of rows) {
    const base = row.symbol.slice(0, 3);
    const series = {
      exchange: 'recorded',
      category: 'spot',
      symbol: row.symbol,
      base,
      quote: 'USD',
    } as const;
    if (row.startMs < TICKS_FROM_MS) {
      const path = isAddedUp(row) ? zigzagOf(row) : undefined;
      candles.push(candleFromHistory(series, { ...row, path }, 1));
      continue;
    }
    const ticks = candlePath(row, 1).map(([offsetMs, price]) => ({ slotMs: row.startMs + offsetMs, price }));
    // One hour in the middle is not summarised.
    const isSummarised = row.startMs < TICKS_ONLY_FROM_MS && row.startMs !== ms('2018-03-12T05:00');
    if (isSummarised) candles.push(candleFromTicks(series, row.startMs, ticks));
    for (const { slotMs, price } of ticks) {
      if (slotMs >= ms('2018-03-20T10:45')) continue;
      const slot = new Date(slotMs).toISOString();
      tickers.push(
        sampleTicker({ ...series, slot, last_price: price, price_24h_pcnt: CHANGE, turnover_24h: 7 * price }),
      );
    }
  }
  return { candles: linked(candles), tickers };
}

function linked(candles: readonly Candle[]): Candle[] {
  const bySeries = Map.groupBy(candles, formatSeries);
  return [...bySeries.values()].flatMap((series) =>
    series.map((candle, index) => withLogReturn(candle, series[index - 1])),
  );
}

async function archivedDays(): Promise<Candle[]> {
  const rows = (await readHistory(DAILY_HISTORY)).filter(({ symbol }) => symbol === 'BTCUSD');
  const series = { exchange: 'archive', category: 'spot', symbol: 'BTCUSD', base: 'BTC' } as const;
  return linked(rows.map((row) => candleFromHistory(series, row, 24)));
}

export interface RecordedWeeks {
  candles: Candle[];
  tickers: Ticker[];
  moves: Move[];
}

/** Those hours, with days of the archive, an option and an inverse contract. */
export async function recordedWeeks(): Promise<RecordedWeeks> {
  const { candles, tickers } = await recordedHours();
  const option: Ticker = sampleTicker({
    exchange: 'recorded',
    category: 'option',
    symbol: 'BTC-30MAR18-9000-C',
    base: 'BTC',
    slot: '2018-03-20T10:40:00.000Z',
    turnover_24h: 1e15,
  });
  // Less turnover in Bitcoin than the spot market's 7, more in dollars.
  const inverse: Ticker = sampleTicker({
    exchange: 'other',
    category: 'inverse',
    symbol: 'BTCUSD',
    base: 'BTC',
    slot: '2018-03-20T10:40:00.000Z',
    turnover_24h: 5,
    last_price: 8_000,
    price_24h_pcnt: CHANGE,
  });
  const days = await archivedDays();
  const moves = SYMBOLS.flatMap((symbol) => {
    const series = candles.filter((candle) => candle.symbol === symbol);
    return movesOf(pathOf(series), 0.05).map((move) => moveOf(series[0] as Candle, move));
  });
  return { candles: [...candles, ...days], tickers: [...tickers, option, inverse], moves };
}

/** Everything in memory; of the option nothing, because no question without its category counts it. */
export function inMemoryStore({ candles, tickers }: RecordedWeeks): InMemoryStore {
  return new InMemoryStore(
    candles,
    tickers
      .filter(({ category }) => category !== 'option')
      .map(({ slot, last_price, exchange, category, symbol, base }) => ({
        series: { exchange, category, symbol, ...(base === undefined ? {} : { base }) },
        slotMs: Date.parse(slot),
        price: last_price,
      })),
  );
}

const spot = { exchange: 'recorded', category: 'spot' } as const;

/** Questions about series. */
export const SERIES_QUESTIONS: QuestionInput[] = [
  { question: 'average', symbol: 'BTCUSD', over: '1h', ...spot },
  { question: 'average', symbol: 'BTCUSD', over: '90m', ...spot },
  { question: 'average', symbol: 'BTCUSD', over: '24h', ...spot },
  { question: 'average', symbol: 'BTCUSD', over: '30d', ...spot },
  { question: 'average', symbol: 'ETHUSD', from: '2018-03-09T12:20', to: '2018-03-10T12:20' },
  { question: 'average', symbol: 'ADAUSD', over: '90d' },
  { question: 'average', symbol: 'ADAUSD', from: '2018-01-01', to: '2018-03-01' },
  { question: 'average', symbol: 'BTCUSD', exchange: 'archive', at: '2020-06-01', over: '1y' },
  {
    question: 'average',
    symbol: 'BTCUSD',
    exchange: 'archive',
    from: '2019-01-01T12:00',
    to: '2019-01-03T12:00',
  },
  { question: 'moves', symbol: 'BTCUSD', over: '90d', ...spot },
  { question: 'moves', symbol: 'BTCUSD', over: '24h', thresholds: [0.003, 0.01], ...spot },
  { question: 'moves', symbol: 'ADAUSD', over: '30d', thresholds: [0.02, 0.05] },
  { question: 'moves', symbol: 'BTCUSD', exchange: 'archive', at: '2021-01-01', over: '2y' },
  { question: 'moves', symbol: 'BTCUSD', over: '30d', horizons: ['1h', '4h', '24h', '7d'], ...spot },
  { question: 'drawdown', symbol: 'BTCUSD', over: '60d', ...spot },
  { question: 'drawdown', symbol: 'BTCUSD', over: '24h', ...spot },
  { question: 'returns', symbol: 'ADAUSD', by: 'day' },
  { question: 'returns', symbol: 'BTCUSD', exchange: 'archive', at: '2021-01-01', by: 'year' },
  { question: 'correlate', symbols: ['recorded:spot:BTCUSD', 'ETHUSD', 'ADAUSD'] },
  { question: 'percentiles', symbol: 'ADAUSD', fromCandles: true, over: '60d' },
  { question: 'profile', symbol: 'BTCUSD', over: '60d', ...spot },
  { question: 'profile', symbol: 'BTCUSD', exchange: 'archive', at: '2021-01-01', over: '2y' },
  { question: 'compare', symbols: ['ETHUSD', 'ADAUSD'], from: '2018-02-01', to: '2018-03-01' },
];

export const RANKINGS: QuestionInput[] = [
  { question: 'volatile', over: '7d' },
  { question: 'volatile', over: '60d', top: 2 },
  { question: 'volatile', exchange: 'archive', at: '2021-01-01', over: '1y' },
  { question: 'volatile', from: '2018-02-01', to: '2018-02-20' },
];
