import type { CurrencyPair } from '../../core/market/series.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/market/time.ts';
import type { FormatName } from './formats.ts';

/** What the name of a downloaded file says about its content. */
export interface NamedByFile extends CurrencyPair {
  symbol?: string;
  /** What each row covers. */
  stepMs?: number;
}

/** Quote currencies that end a symbol, a longer one before its own suffix. */
const QUOTES = [
  ...['FDUSD', 'RLUSD', 'PYUSD', 'USDT', 'USDC', 'BUSD', 'TUSD', 'USD', 'EUR', 'GBP', 'JPY', 'KRW', 'TRY'],
  ...['BRL', 'AUD', 'CAD', 'CHF', 'BTC', 'ETH', 'BNB'],
];

/** `BTCUSDT`, `btc-usd`, between the other parts of a name. */
const SYMBOL = new RegExp(`(?:^|[-_ ,])([a-z0-9]{2,10}[-_]?(?:${QUOTES.join('|')}))(?=$|[-_ ,.])`, 'i');
/** Downloads often start with the name of the exchange. */
const EXCHANGE = /^(?:binance(?:us)?|bitfinex|bitstamp|bybit|coinbase|gemini|kraken|okx)[-_ ]/i;

/** As CoinMarketCap names its files; other coins need --symbol. */
const COINS: Readonly<Record<string, string>> = {
  bitcoin: 'BTC',
  ethereum: 'ETH',
  xrp: 'XRP',
  tether: 'USDT',
  bnb: 'BNB',
  solana: 'SOL',
  cardano: 'ADA',
  dogecoin: 'DOGE',
  tron: 'TRX',
  litecoin: 'LTC',
  'bitcoin cash': 'BCH',
  chainlink: 'LINK',
  polkadot: 'DOT',
  avalanche: 'AVAX',
  stellar: 'XLM',
  monero: 'XMR',
};

const UNITS_MS: Readonly<Record<string, number>> = {
  m: MINUTE_MS,
  min: MINUTE_MS,
  minute: MINUTE_MS,
  h: HOUR_MS,
  hour: HOUR_MS,
  d: DAY_MS,
  day: DAY_MS,
  w: 7 * DAY_MS,
  mo: 30 * DAY_MS,
};

/** @param file its name, without folders */
export function namedByFile(file: string, format: FormatName): NamedByFile {
  const name = file
    .replace(/\.(csv|tsv|txt|jsonl?|ndjson|parquet|zip|gz)$/gi, '')
    .replace(/\.(csv|txt)$/i, '');
  switch (format) {
    case 'coinmarketcap': {
      const [coin = ''] = name.split('_');
      const base = COINS[coin.toLowerCase()];
      return base ? { symbol: `${base}USD`, base, quote: 'USD' } : {};
    }
    case 'coingecko': {
      const [, base, quote] = /^([a-z0-9]+)-([a-z]+)-/.exec(name)?.map((part) => part.toUpperCase()) ?? [];
      return base && quote ? { symbol: `${base}${quote}`, base, quote } : {};
    }
    case 'kraken': {
      const [, symbol, minutes] = /^([A-Za-z0-9.]+)_(\d+)$/.exec(name) ?? [];
      if (symbol) return { symbol, stepMs: Number(minutes) * MINUTE_MS };
      break;
    }
    case 'tradingview': {
      const [, symbol, step = ''] = /^[A-Z0-9]+_([A-Z0-9.]+)(?:,? (\d*[A-Z]?))?/.exec(name) ?? [];
      if (symbol)
        return { symbol, ...stepOf(/^\d+$/.test(step) ? `${step}m` : step.replace(/^(?=[DW])/, '1')) };
      break;
    }
    default:
  }
  return byParts(name);
}

/** `BTCUSDT-1h-2025-01`, `btcusd_1-min_data`, `bitstampUSD_1-min_data_2012`, `BTC-USD`. */
function byParts(name: string): NamedByFile {
  const step = stepOf(/(?:^|[-_ ])(\d+-?(?:minute|min|mo|[mhdw]))(?:$|[-_ .])/i.exec(name)?.[1] ?? '');
  const [, traded] = /^(?:bitstamp|coinbase)([A-Z]{3})(?:_|$)/.exec(name) ?? [];
  if (traded) return { symbol: `BTC${traded}`, base: 'BTC', quote: traded, ...step };
  const [, symbol] = SYMBOL.exec(name.replace(EXCHANGE, '')) ?? [];
  return symbol === undefined ? step : { symbol: symbol.toUpperCase(), ...step };
}

function stepOf(text: string): Pick<NamedByFile, 'stepMs'> {
  const [, count, unit = ''] = /^(\d+)-?([a-z]+)$/i.exec(text) ?? [];
  const unitMs = UNITS_MS[unit.toLowerCase()];
  return unitMs === undefined ? {} : { stepMs: Number(count) * unitMs };
}

/** Base and quote of a symbol whose quote currency is known. */
export function pairWithQuote(symbol: string, quote: string): CurrencyPair {
  const base = symbol.toUpperCase().endsWith(quote.toUpperCase()) ? symbol.slice(0, -quote.length) : symbol;
  return { base: base.replace(/[-_/:]+$/, '') || symbol, quote };
}
