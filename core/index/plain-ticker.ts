import * as z from 'zod';
import { CATEGORIES, NAME_PUNCTUATION } from '../market/series.ts';
import { EXCHANGE_PATTERN, MAX_TEXT, TICKER_VERSION, type TickerIdentity } from '../market/ticker.ts';
import { TICKER_FIELDS, type TickerFieldKind } from '../market/ticker-fields.ts';

const sourceOf = (pattern: RegExp) => pattern.source.replace(/^\^|\$$/g, '');

/** ASCII that needs no escape in JSON. */
const TEXT = String.raw`[ !#-\[\]-~]{1,${MAX_TEXT}}`;
const NAME = `[A-Za-z0-9$${NAME_PUNCTUATION}]{1,100}`;
const TIME = sourceOf(z.core.regexes.datetime({ precision: 3 }));
/** A JSON number with so few digits that it can neither overflow a double nor underflow to 0. */
const UNSIGNED = String.raw`(?:0|[1-9]\d{0,99})(?:\.\d{1,99})?(?:[eE][+-]?\d\d?)?`;
const PRICE = String.raw`(?!0(?:\.0+)?[eE,}])${UNSIGNED}`;

const VALUES: Record<TickerFieldKind, string> = {
  price: PRICE,
  number: `-?${UNSIGNED}`,
  fraction: `-?${UNSIGNED}`,
  time: `"${TIME}"`,
  text: `"${TEXT}"`,
};

const { last_price: _, ...otherFields } = TICKER_FIELDS;
const otherValues = [...Map.groupBy(Object.entries(otherFields), ([, kind]) => kind)].map(
  ([kind, fields]) => `(?:${fields.map(([field]) => field).join('|')})":${VALUES[kind]}`,
);

/** Matches only tickers that are valid by the schema, but not all of them. */
const PLAIN_TICKER = new RegExp(
  [
    String.raw`^\{"v":${TICKER_VERSION}`,
    `,"exchange":"(${sourceOf(EXCHANGE_PATTERN)})"`,
    `,"category":"(${CATEGORIES.join('|')})"`,
    `,"symbol":"(${NAME})"`,
    `(?:,"base":"${NAME}")?(?:,"quote":"${NAME}")?`,
    `,"slot":"(${TIME})","timestamp":"${TIME}","received_at":"${TIME}"`,
    `,"last_price":${PRICE}`,
    String.raw`(?:,"(?:${otherValues.join('|')}))*\}$`,
  ].join(''),
);

/**
 * Recognises a ticker as ingest writes it (no white space, the schema's order, plain ASCII texts) without
 * parsing it: parsing and validating takes five times as long. Undefined for any other text, which may still
 * be a valid ticker.
 */
export function readPlainTicker(text: string): TickerIdentity | undefined {
  const match = PLAIN_TICKER.exec(text);
  if (!match) return undefined;
  const [, exchange, category, symbol, slot] = match;
  return { exchange, category, symbol, slot } as TickerIdentity;
}
