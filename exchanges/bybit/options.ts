import { fieldOf, readDecimal } from '../payload/fields.ts';
import type { Instrument } from '../payload/instruments.ts';

/** Requested if the list of instruments is unavailable. */
const COINS = ['BTC', 'ETH', 'SOL'];

/** The coins that have options: `BTC` of `BTC-30DEC22-18000-C`. */
export function optionCoins(instruments: readonly Instrument[] | undefined): string[] {
  const coins = instruments?.flatMap(({ symbol }) => symbol.split('-')[0] || []);
  return [...new Set(coins ?? COINS)];
}

/**
 * An option has `change24h` instead of the price 24 hours ago, "the change in the last 24 hours". Bybit's example is a
 * difference (86 of 435). A value with more decimals than the price cannot be one: it is a fraction.
 */
export function withOptionChange(raw: unknown): unknown {
  const change = fieldOf(raw, 'change24h');
  const last = readDecimal(fieldOf(raw, 'lastPrice'));
  const reading = readDecimal(change);
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw;
  if (!('value' in reading && 'value' in last && reading.value !== undefined && last.value)) {
    return { ...raw, price24hPcnt: change };
  }
  if (decimals(change) > decimals(fieldOf(raw, 'lastPrice'))) return { ...raw, price24hPcnt: change };
  const before = last.value - reading.value;
  return before > 0 ? { ...raw, prevPrice24h: before } : raw;
}

const decimals = (number: unknown) => /\.(\d*?)0*$/.exec(String(number))?.[1]?.length ?? 0;
