import { candlePath } from '../core/market/price-path.ts';
import { TICKER_VERSION, type Ticker } from '../core/market/ticker.ts';
import { DAY_MS, HOUR_MS } from '../core/market/time.ts';
import type { RecordedRow } from '../core/operate/backfill/row-parts.ts';
import { readHistory } from '../local/history-files/read-history.ts';
import { HOURLY_HISTORY } from '../local/pipeline/history.ts';

const FUNDING_HOURS = 8;

/**
 * Tickers of a linear market whose prices and volumes were recorded: four currencies, four polls an hour, in the order of
 * polls. Unlike made-up ones, they repeat: what holds for a day or eight hours stays the same from poll to poll.
 */
export async function recordedTickers(count: number): Promise<Ticker[]> {
  const rows = await readHistory(HOURLY_HISTORY);
  const hours = new Map(rows.map((row) => [`${row.symbol} ${row.startMs}`, row]));
  const tickers: Ticker[] = [];
  for (const row of rows.toSorted((a, b) => a.startMs - b.startMs)) {
    const lastDay = Array.from({ length: 24 }, (_, at) =>
      hours.get(`${row.symbol} ${row.startMs - at * HOUR_MS}`),
    );
    const before = hours.get(`${row.symbol} ${row.startMs - DAY_MS}`);
    const known = lastDay.filter((hour) => hour !== undefined);
    for (const [offsetMs, price] of candlePath(row, 1)) {
      tickers.push(tickerAt(row, row.startMs + offsetMs, price, known, before));
    }
  }
  tickers.sort((a, b) => (a.slot < b.slot ? -1 : a.slot > b.slot ? 1 : 0));
  if (tickers.length < count) throw new RangeError(`${tickers.length} tickers were recorded, not ${count}.`);
  return tickers.slice(0, count);
}

function tickerAt(
  row: RecordedRow,
  slotMs: number,
  price: number,
  lastDay: readonly RecordedRow[],
  before: RecordedRow | undefined,
): Ticker {
  const iso = (ms: number) => new Date(ms).toISOString();
  const base = row.symbol.replace(/USD$/, '');
  const step = price * 1e-5;
  const rounded = (value: number) => Number(value.toPrecision(10));
  const volume = lastDay.reduce((sum, hour) => sum + (hour.volume ?? 0), 0);
  return {
    v: TICKER_VERSION,
    exchange: 'bench',
    category: 'linear',
    symbol: row.symbol,
    base,
    quote: 'USD',
    slot: iso(slotMs),
    timestamp: iso(slotMs + 137),
    received_at: iso(slotMs + 421),
    last_price: price,
    bid_price: rounded(price - step),
    ask_price: rounded(price + step),
    index_price: row.close,
    mark_price: price,
    prev_price_1h: row.open,
    prev_price_24h: before?.open ?? row.open,
    high_price_24h: Math.max(...lastDay.map(({ high }) => high)),
    low_price_24h: Math.min(...lastDay.map(({ low }) => low)),
    price_24h_pcnt: Number((price / (before?.open ?? row.open) - 1).toFixed(6)),
    volume_24h: rounded(volume),
    turnover_24h: rounded(volume * price),
    open_interest: rounded(row.volume ?? 0),
    funding_rate: 0.0001,
    next_funding_time: iso((Math.floor(slotMs / HOUR_MS / FUNDING_HOURS) + 1) * FUNDING_HOURS * HOUR_MS),
    funding_interval_hours: FUNDING_HOURS,
    funding_cap: 0.005,
  };
}
