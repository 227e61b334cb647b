import { formatTime, priceFormat } from '../format.ts';

/** What stands for a value that does not exist. */
export const NONE = '–';

export function windowLine(title: string, { from, to }: { from: string; to: string }): string {
  return `${title}, ${formatTime(from)} to ${formatTime(to)}`;
}

/**
 * Formats prices of a series that are read together, all with the same decimals: `9,183.12 USD`, without the currency if
 * the answer does not know it.
 */
export function pricesText(
  { quote }: { quote?: string | undefined },
  prices: readonly number[],
): (price: number) => string {
  const format = priceFormat(prices);
  return quote === undefined ? format : (price) => `${format(price)} ${quote}`;
}

export function shareText(fraction: number | null): string {
  return fraction === null ? NONE : `${(fraction * 100).toFixed(1)} %`;
}

/** 0.07 × 100 is 7.000000000000001. */
export function percentOf(fraction: number): string {
  return String(Number((fraction * 100).toPrecision(12)));
}

/** Sorted, because objects list whole-number keys before others. */
export function percentsOf(percentiles: Readonly<Record<string, number>> | null | undefined): string[] {
  return Object.keys(percentiles ?? {}).sort((a, b) => Number(a) - Number(b));
}

/** `12 min`, `5.3 h`, from two days on `3.1 days`. */
export function timeText(hours: number | null): string {
  if (hours === null) return NONE;
  if (hours < 1) return hours === 0 ? '0 h' : `${(hours * 60).toFixed(0)} min`;
  return hours < 48 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(1)} days`;
}
