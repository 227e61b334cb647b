import type { ColumnFormat, TableColumn } from '../../charts/pictures/chart.ts';
import type { Row } from '../../charts/table-rows.ts';
import type { Trust } from '../../core/insights/trust.ts';
import { parseSeries } from '../../core/market/series.ts';
import { formatCount, formatPercent, formatPrice, formatTime, priceFormat } from '../../core/text/format.ts';

/** A narrow no-break space between a number and its unit. */
const NARROW = '\u202f';

export function words(value: unknown, format: ColumnFormat): string {
  if (value === null || value === undefined || value === '') return '–';
  if (format === 'text') return String(value);
  if (format === 'time' || format === 'date') {
    const iso = new Date(value as number | Date).toISOString();
    return format === 'date' ? iso.slice(0, 10) : formatTime(iso).replace(' UTC', '');
  }
  const number = Number(value);
  if (Number.isNaN(number)) return '–';
  return NUMBERS[format](number);
}

/** The values of a column; prices have the same decimals. */
export function columnWords({ field, format }: TableColumn, rows: readonly Row[]): string[] {
  const values = rows.map((row) => row[field]);
  if (format !== 'price') return values.map((value) => words(value, format));
  const isKnown = (value: unknown) => value !== null && value !== undefined && !Number.isNaN(Number(value));
  const price = priceFormat(values.filter(isKnown).map(Number));
  return values.map((value) => (isKnown(value) ? price(Number(value)) : words(undefined, format)));
}

const NUMBERS: Record<Exclude<ColumnFormat, 'text' | 'time' | 'date'>, (value: number) => string> = {
  price: formatPrice,
  percent: (value) => formatPercent(value).replace(' %', `${NARROW}%`),
  share: (value) => `${(value * 100).toLocaleString('en-US', { maximumFractionDigits: 1 })}${NARROW}%`,
  count: formatCount,
  number: (value) => value.toLocaleString('en-US', { maximumFractionDigits: 2 }),
};

/** Epoch ms → `2018-07-01 00:20 UTC`. */
export function timeWords(timeMs: number): string {
  return formatTime(new Date(timeMs).toISOString());
}

/** `recorded:spot:BTCUSD` → `BTCUSD · recorded spot` */
export function seriesWords(series: string): string {
  const { exchange, category, symbol } = parseSeries(series);
  return `${symbol} · ${exchange} ${category}`;
}

const LONG_WINDOWS: Record<string, string> = {
  '1h': 'last hour',
  '24h': 'last 24 hours',
  '7d': 'last 7 days',
  '30d': 'last 30 days',
  '90d': 'last 90 days',
  '1y': 'last year',
  '2y': 'last 2 years',
};

export function windowWords(window: string): string {
  return LONG_WINDOWS[window] ?? window;
}

/** 900 → `15 minutes` */
function intervalWords(seconds: number): string {
  if (seconds < 60) return seconds === 1 ? 'second' : `${seconds} seconds`;
  const minutes = seconds / 60;
  return minutes === 1
    ? 'minute'
    : `${minutes.toLocaleString('en-US', { maximumFractionDigits: 1 })} minutes`;
}

/** `Of the hours of the last year with data, 12 % are polled every 2 minutes; 88 % are from hourly candles, …` */
export function sourceWords(
  window: string,
  {
    sources,
    samplingIntervalSecondsBySource: intervals,
  }: Pick<Trust, 'sources' | 'samplingIntervalSecondsBySource'>,
): string {
  const polled = intervals.ticks === undefined ? 'polled' : `polled every ${intervalWords(intervals.ticks)}`;
  const parts = [
    { share: sources.ticks, are: polled },
    { share: sources.hourly, are: 'from hourly candles, of four prices each' },
    { share: sources.daily, are: 'from daily candles, of four prices each' },
  ].filter(({ share }) => share > 0);
  const [only] = parts;
  if (parts.length === 1) return `All hours of the ${window} with data are ${only?.are}.`;
  const listed = parts.map(({ share, are }) => `${words(share, 'share')} are ${are}`).join('; ');
  return `Of the hours of the ${window} with data, ${listed}.`;
}
