import * as z from 'zod';
import { CATEGORIES } from '../market/series.ts';
import { EXCHANGE_PATTERN, MAX_TEXT, TICKER_VERSION, type TickerIdentity } from '../market/ticker.ts';
import { TICKER_FIELDS, type TickerFieldKind } from '../market/ticker-fields.ts';

const sourceOf = (pattern: RegExp) => pattern.source.replace(/^\^|\$$/g, '');

/** ASCII that JSON writes without an escape. */
const TEXT = String.raw`[ !#-\[\]-~]{1,${MAX_TEXT}}`;
const SYMBOL = String.raw`[!#-\[\]-~]{1,100}`;
const TIME = sourceOf(z.core.regexes.datetime({ precision: 3 }));
/** A number in JSON, with so few digits that a double can neither overflow nor become 0. */
const UNSIGNED = String.raw`(?:0|[1-9]\d{0,99})(?:\.\d{1,99})?(?:[eE][+-]?\d\d?)?`;
const PRICE = String.raw`(?!0(?:\.0+)?[eE,}])${UNSIGNED}`;

const VALUES: Record<TickerFieldKind, string> = {
  price: PRICE,
  number: `-?${UNSIGNED}`,
  time: `"${TIME}"`,
  text: `"${TEXT}"`,
};

const { last_price: _, ...otherFields } = TICKER_FIELDS;
const otherValues = [...Map.groupBy(Object.entries(otherFields), ([, kind]) => kind)].map(
  ([kind, fields]) => `(?:${fields.map(([field]) => field).join('|')})":${VALUES[kind]}`,
);

/** Every text that this matches is a ticker by {@link tickerSchema}; many a ticker it does not match. */
const PLAIN_TICKER = new RegExp(
  [
    String.raw`^\{"v":${TICKER_VERSION}`,
    `,"exchange":"(${sourceOf(EXCHANGE_PATTERN)})"`,
    `,"category":"(${CATEGORIES.join('|')})"`,
    `,"symbol":"(${SYMBOL})"`,
    `(?:,"base":"${TEXT}")?(?:,"quote":"${TEXT}")?`,
    `,"slot":"(${TIME})","timestamp":"${TIME}","received_at":"${TIME}"`,
    `,"last_price":${PRICE}`,
    String.raw`(?:,"(?:${otherValues.join('|')}))*\}$`,
  ].join(''),
);

/**
 * What identifies a ticker that is written as ingest writes it: one object without white space, its heading in the
 * order of the schema, every text ASCII. Parsing the JSON takes three times as long. Undefined for any other text, which
 * may be a ticker all the same.
 */
export function readPlainTicker(text: string): TickerIdentity | undefined {
  const match = PLAIN_TICKER.exec(text);
  if (!match) return undefined;
  const [, exchange, category, symbol, slot] = match;
  return { exchange, category, symbol, slot } as TickerIdentity;
}
