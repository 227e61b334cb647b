/** A price with digits that suit its magnitude. */
export function formatPrice(price: number): string {
  return price.toLocaleString('en-US', {
    maximumSignificantDigits: price >= 10_000 ? 7 : 6,
    minimumFractionDigits: 0,
  });
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

/** ISO 8601 → `2018-07-01 00:20 UTC`. */
export function formatTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, iso.endsWith(':00.000Z') ? 16 : 19)} UTC`;
}
