import { periodWindow } from './objects.ts';

/** `YYYY-MM` of a time, epoch ms. */
function monthOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 7);
}

/** @param month `YYYY-MM` */
export function monthBefore(month: string): string {
  return monthOf(periodWindow({ period: month }).fromMs - 1);
}

/** The months that [firstMs, lastMs] touches, ascending. */
export function monthsBetween(firstMs: number, lastMs: number): string[] {
  const months: string[] = [];
  for (let ms = firstMs; ms <= lastMs; ms = periodWindow({ period: monthOf(ms) }).toMs)
    months.push(monthOf(ms));
  return months;
}
