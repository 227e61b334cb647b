/** A price with digits that suit its magnitude. */
export function formatPrice(price: number): string {
  return price.toLocaleString('en-US', {
    maximumSignificantDigits: digitsOf(price),
    minimumFractionDigits: 0,
  });
}

/**
 * Formats prices that stand together, such as those of a column, with the same decimals: enough for the digits of the
 * largest, and for three digits of the smallest.
 */
export function priceFormat(prices: readonly number[]): (price: number) => string {
  const known = prices.filter((price) => price > 0);
  const largest = known.reduce((most, price) => Math.max(most, price), 0) || 1;
  const smallest = known.reduce((least, price) => Math.min(least, price), largest);
  const decimals = Math.max(decimalsFor(largest, digitsOf(largest)), decimalsFor(smallest, 3));
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return (price) => price.toLocaleString('en-US', digits);
}

function digitsOf(price: number): number {
  return price >= 10_000 ? 7 : 6;
}

/** How many decimals give a number that many digits. */
function decimalsFor(value: number, digits: number): number {
  return Math.min(20, Math.max(0, digits - 1 - Math.floor(Math.log10(value))));
}

/** A fraction as a percentage with its sign: 0.0068 → `+0.68 %`. */
export function formatPercent(fraction: number): string {
  const text = (fraction * 100).toLocaleString('en-US', {
    maximumFractionDigits: 2,
    minimumFractionDigits: 2,
  });
  return `${fraction > 0 ? '+' : ''}${text} %`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 candle`, `1,200 candles`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** ISO 8601 → `2018-07-01 00:20 UTC`. */
export function formatTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, iso.endsWith(':00.000Z') ? 16 : 19)} UTC`;
}
