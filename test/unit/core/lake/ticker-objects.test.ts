import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  markerKey,
  parseMarkerKey,
  parseTickersKey,
  rejectedKey,
  tickersKey,
  tickersPrefix,
  unreadableMarkerKey,
} from '../../../../core/lake/ticker-objects.ts';
import { CATEGORIES } from '../../../../core/market/series.ts';

const address = { exchange: 'bybit', category: 'linear', slotMs: Date.UTC(2026, 2, 1, 9, 58) } as const;
/** From the year 2001 on, epoch milliseconds have 13 digits. */
const slotMs = fc.integer({ min: Date.UTC(2001, 8, 10), max: Date.UTC(2200, 0, 1) });

describe('the layout of the lake', () => {
  it('keeps a batch in the folder of its exchange, category, day and hour', () => {
    expect(tickersKey(address)).toBe(
      'tickers/exchange=bybit/category=linear/dt=2026-03-01/hour=09/1772359080000.ndjson.gz',
    );
  });

  it('parses every key that it writes', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9-]{1,40}$/),
        fc.constantFrom(...CATEGORIES),
        slotMs,
        (exchange, category, slot) => {
          const written = { exchange, category, slotMs: slot };
          expect(parseTickersKey(tickersKey(written))).toEqual(written);
        },
      ),
    );
  });

  it('sorts a category’s keys by slot', () => {
    fc.assert(
      fc.property(slotMs, slotMs, (one, other) => {
        const keys = [one, other].map((slot) => tickersKey({ ...address, slotMs: slot }));
        expect((keys[0] as string) < (keys[1] as string)).toBe(one < other);
      }),
    );
  });

  it('keeps every key under its category’s prefix', () => {
    expect(tickersKey(address).startsWith(tickersPrefix('bybit', 'linear'))).toBe(true);
  });

  it.each([
    'tickers/exchange=bybit/category=linear/dt=2026-03-01/hour=09/notes.txt',
    'tickers/exchange=bybit/category=linear/1772359080000.ndjson.gz',
    // A time that no ISO 8601 text can hold, another hour's folder, an unknown category, leading zeros.
    'tickers/exchange=bybit/category=linear/dt=2026-03-01/hour=09/99999999999999999.ndjson.gz',
    'tickers/exchange=bybit/category=linear/dt=2026-03-01/hour=10/1772359080000.ndjson.gz',
    'tickers/exchange=bybit/category=future/dt=2026-03-01/hour=09/1772359080000.ndjson.gz',
    'tickers/exchange=bybit/category=linear/dt=2026-03-01/hour=09/01772359080000.ndjson.gz',
    'rejected/exchange=bybit/category=linear/dt=2026-03-01/hour=09/1772359080000-1.ndjson.gz',
    'state/bybit.json',
    '',
  ])('does not mistake %j for a batch', (key) => {
    expect(parseTickersKey(key)).toBeUndefined();
  });

  it('keeps the rejected tickers of two attempts at a slot apart', () => {
    expect(rejectedKey(address, 1772359081111)).toBe(
      'rejected/exchange=bybit/category=linear/dt=2026-03-01/hour=09/1772359080000-1772359081111.ndjson.gz',
    );
  });

  it('keeps one marker for each market, outside the tickers, and unreadable ones beside them', () => {
    const key = markerKey({ exchange: 'bybit', category: 'linear' });
    expect(key).toBe('state/exchange=bybit/category=linear.json');
    expect(parseMarkerKey(key)).toEqual({ exchange: 'bybit', category: 'linear' });
    const aside = unreadableMarkerKey({ exchange: 'bybit', category: 'linear' }, 1772359080000);
    expect(aside).toBe('state/unreadable/exchange=bybit/category=linear/1772359080000.json');
    for (const other of [aside, 'state/bybit.json']) expect(parseMarkerKey(other)).toBeUndefined();
  });
});
