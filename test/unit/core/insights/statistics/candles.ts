import fc from 'fast-check';
import { type Candle, candleFromHistory, withLogReturn } from '../../../../../core/market/candle.ts';
import { HOUR_MS } from '../../../../../core/market/time.ts';
import { SERIES, START_MS } from '../sample-candles.ts';

/** A series' hours from {@link START_MS} on, some of them missing, with their log returns. */
export const someHours: fc.Arbitrary<Candle[]> = fc
  .array(
    fc.record({
      gap: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 40 })),
      prices: fc.array(fc.double({ min: 50, max: 200, noNaN: true }), { minLength: 4, maxLength: 4 }),
      volume: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 120 },
  )
  .map((rows) => {
    let startMs = START_MS - HOUR_MS;
    const candles = rows.map(({ gap, prices, volume }) => {
      startMs += (gap + 1) * HOUR_MS;
      const [open = 1, close = 1] = prices;
      const row = { startMs, open, close, high: Math.max(...prices), low: Math.min(...prices), volume };
      return candleFromHistory(SERIES, row, 1);
    });
    return linked(candles);
  });

export function linked(candles: readonly Candle[]): Candle[] {
  return candles.map((candle, index) => withLogReturn(candle, candles[index - 1]));
}

/** All of it. */
export const EVER = { fromMs: 0, toMs: Date.UTC(9999, 0) };

/** The same candles with other prices. */
export function scaled(candles: readonly Candle[], factor: number): Candle[] {
  return linked(
    candles.map(({ startMs, open, high, low, close, hours, volume }) =>
      candleFromHistory(
        SERIES,
        {
          startMs,
          ...{ open: open * factor, high: high * factor, low: low * factor, close: close * factor },
          volume,
        },
        hours,
      ),
    ),
  );
}
