import { InvalidInputError } from './invalid-input.ts';

export const CATEGORIES = ['linear', 'inverse', 'spot', 'option'] as const;
/** The market a symbol is traded in; the same symbol exists in several. */
export type Category = (typeof CATEGORIES)[number];

/** One symbol in one market of one exchange. */
export interface Series {
  exchange: string;
  category: Category;
  /** As the exchange spells it; it may contain colons, such as `tDOGE:USD`. */
  symbol: string;
}

/** Base and quote currency, if known. */
export interface CurrencyPair {
  base?: string | undefined;
  quote?: string | undefined;
}

/** One category of one exchange. */
export type Market = Omit<Series, 'symbol'>;

/**
 * The punctuation that exchanges and vendors use in names (`.BXBT`, `tDOGE:USD`, `GAL(FT)`, `@107`, `BTC=F`, `^GSPC`), for a
 * class of a pattern: none that begins markup or ends a text.
 */
export const NAME_PUNCTUATION = String.raw`.,:\/_@#&+*!%?()'\[\]~=^\-`;
/** Letters and digits of any script (`币安人生USDT`, `1000SATS`), signs of currencies, and pictures. */
const NAME_CHARACTERS = String.raw`\p{L}\p{M}\p{N}\p{Sc}\p{So}${NAME_PUNCTUATION}`;

/** An exchange's symbol: no white space or control characters, short enough for a document id. */
export const SYMBOL_PATTERN = new RegExp(`^[${NAME_CHARACTERS}]{1,100}$`, 'u');
/** A currency, as exchanges or ccxt name it: `BTC`, `FTX Users' Debt`. */
export const CURRENCY_PATTERN = new RegExp(`^(?! )[${NAME_CHARACTERS} ]{1,100}(?<! )$`, 'u');

export function isCategory(text: string | undefined): text is Category {
  return (CATEGORIES as readonly (string | undefined)[]).includes(text);
}

/** `exchange:category` */
export function formatMarket({ exchange, category }: Market): string {
  return `${exchange}:${category}`;
}

/** `exchange:category:symbol`: the name of the series, and the Kafka key that keeps its ticks in order. */
export function formatSeries({ exchange, category, symbol }: Series): string {
  return `${exchange}:${category}:${symbol}`;
}

/** The reverse of {@link formatSeries}; undefined if the text is not the name of a series. */
export function tryParseSeries(text: string): Series | undefined {
  const [, exchange, category, symbol] = /^([^:]+):([^:]+):(.+)$/s.exec(text) ?? [];
  return exchange && symbol && isCategory(category) ? { exchange, category, symbol } : undefined;
}

/**
 * The reverse of {@link formatSeries}.
 * @throws InvalidInputError
 */
export function parseSeries(text: string): Series {
  const series = tryParseSeries(text);
  if (series) return series;
  throw new InvalidInputError(
    `"${text}" is not a valid series: expected exchange:category:symbol such as bybit:linear:BTCUSDT; ` +
      `categories are ${CATEGORIES.join(', ')}.`,
  );
}
