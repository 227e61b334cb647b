import { type Columns, isHeader, plainName } from './columns.ts';

/** One of the forms in which people download price history. */
export interface Format {
  /** For messages. */
  readonly title: string;
  /** Whether a header is of this format; names as {@link plainName} makes them. */
  readonly hasHeader: (names: readonly string[]) => boolean;
  /** The columns of a file without a header, by their number. */
  readonly shapes?: readonly { readonly count: number; readonly columns: Columns }[];
  /** Its volume is in the quote currency. */
  readonly volumeIsTurnover?: true;
  /** Its volume is not that of the row's time. */
  readonly hasNoVolume?: true;
  /** The last day may come twice, the second time as it was when the file was made. */
  readonly repeatsLastDay?: true;
  /** `timestamp` is the end of the day. */
  readonly timeIsEndOfDay?: true;
}

const startsWith = (names: readonly string[], ...first: string[]) =>
  first.every((name, index) => names[index] === name);
const has = (names: readonly string[], ...some: string[]) => some.every((name) => names.includes(name));

const OHLC = { time: 0, open: 1, high: 2, low: 3, close: 4 };
const LOW_FIRST = { time: 0, low: 1, high: 2, open: 3, close: 4, volume: 5 };

/** In the order in which a header is compared with them. */
export const FORMATS = {
  own: {
    title: 'our own table',
    hasHeader: (names) => has(names, 'start', 'symbol'),
  },
  coinmarketcap: {
    title: 'a CoinMarketCap export',
    hasHeader: (names) => has(names, 'timeopen') || has(names, 'marketcap', 'timestamp'),
    volumeIsTurnover: true,
    timeIsEndOfDay: true,
  },
  coingecko: {
    title: 'a CoinGecko export',
    hasHeader: (names) => has(names, 'snappedat', 'price'),
    hasNoVolume: true,
  },
  yahoo: {
    title: 'a Yahoo Finance download',
    hasHeader: (names) => has(names, 'date', 'adjclose'),
    volumeIsTurnover: true,
    repeatsLastDay: true,
  },
  binance: {
    title: 'Binance public data',
    hasHeader: (names) => has(names, 'opentime', 'closetime'),
    shapes: [12, 11].map((count) => ({
      count,
      columns: { ...OHLC, volume: 5, closeTime: 6, turnover: 7 },
    })),
  },
  kraken: {
    title: 'Kraken OHLCVT',
    hasHeader: (names) => startsWith(names, 'time', 'open', 'high', 'low', 'close') && has(names, 'trades'),
    shapes: [
      { count: 7, columns: { ...OHLC, volume: 5 } },
      { count: 8, columns: { ...OHLC, volume: 6 } },
      { count: 6, columns: { ...OHLC, volume: 5 } },
    ],
  },
  gemini: {
    title: 'a Gemini table',
    hasHeader: (names) => has(names, 'unixtimestamp', 'symbol'),
  },
  cryptodatadownload: {
    title: 'a CryptoDataDownload table',
    hasHeader: (names) =>
      has(names, 'unix', 'symbol') || (has(names, 'date', 'symbol') && names.some(isVolumeOf)),
  },
  kaggle: {
    title: 'a Kaggle table of Bitstamp',
    hasHeader: (names) => startsWith(names, 'timestamp', 'open', 'high', 'low', 'close'),
  },
  coinbase: {
    title: 'a Coinbase table',
    hasHeader: (names) => startsWith(names, 'time', 'low', 'high', 'open', 'close'),
    shapes: [{ count: 6, columns: LOW_FIRST }],
  },
  tradingview: {
    title: 'a TradingView export',
    hasHeader: (names) => startsWith(names, 'time', 'open', 'high', 'low', 'close'),
  },
  table: {
    title: 'a table with names for its columns',
    hasHeader: (names) => isHeader(names),
  },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;
export const FORMAT_NAMES = Object.keys(FORMATS) as FormatName[];

export function formatOf(name: FormatName): Format {
  return FORMATS[name];
}

/** The format whose header this is; undefined if it names nothing that a candle has. */
export function formatOfHeader(header: readonly string[]): FormatName | undefined {
  const names = header.map(plainName);
  return FORMAT_NAMES.find((name) => formatOf(name).hasHeader(names));
}

/** `volumebtc` */
function isVolumeOf(name: string): boolean {
  return /^volume[a-z0-9]{2,10}$/.test(name);
}
