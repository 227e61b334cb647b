import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { movesOf } from '../../../../../core/market/directional-change.ts';
import { candlePath } from '../../../../../core/market/price-path.ts';
import { HOUR_MS, MINUTE_MS } from '../../../../../core/market/time.ts';
import { HourOfRows } from '../../../../../core/operate/backfill/aggregate.ts';

/** Minutes of three hours whose prices move by some tenths of a percent. */
const minutes = fc.array(
  fc.tuple(
    fc.double({ min: -0.004, max: 0.004, noNaN: true }),
    fc.double({ min: 0, max: 0.001, noNaN: true }),
  ),
  {
    minLength: 180,
    maxLength: 180,
  },
);

function rowsOf(steps: readonly (readonly [number, number])[]) {
  let price = 100;
  return steps.map(([step, wick], minute) => {
    const [open, close] = [price, price * (1 + step)];
    price = close;
    const [high, low] = [Math.max(open, close) * (1 + wick), Math.min(open, close) * (1 - wick)];
    return { startMs: minute * MINUTE_MS, open, high, low, close, volume: 1 };
  });
}

function hoursOf(rows: ReturnType<typeof rowsOf>) {
  return [0, 1, 2].map((hour) => {
    const made = new HourOfRows(hour * HOUR_MS, MINUTE_MS);
    const ofHour = rows.slice(60 * hour, 60 * hour + 60);
    for (const row of ofHour) made.add(row);
    return { candle: made.candle(), rows: ofHour };
  });
}

describe('minutes added up to hours', () => {
  it('have their exact prices, and a path of the largest turns between them', () => {
    fc.assert(
      fc.property(minutes, (steps) => {
        for (const { candle, rows } of hoursOf(rowsOf(steps))) {
          const { open, high, low, close, volume, path } = candle;
          expect({ open, high, low, close, volume }).toEqual({
            open: rows[0]?.open,
            high: Math.max(...rows.map((row) => row.high)),
            low: Math.min(...rows.map((row) => row.low)),
            close: rows.at(-1)?.close,
            volume: 60,
          });
          const prices = path.map(([, price]) => price);
          expect(path.length).toBeLessThanOrEqual(34);
          expect([prices[0], prices.at(-1)]).toEqual([open, close]);
          expect([Math.max(...prices), Math.min(...prices)]).toEqual([high, low]);
          expect(path.map(([offsetMs]) => offsetMs)).toEqual(
            path.map(([offsetMs]) => offsetMs).toSorted((a, b) => a - b),
          );
        }
      }),
      { numRuns: 100 },
    );
  });

  it('move as the minutes do', () => {
    fc.assert(
      fc.property(minutes, (steps) => {
        const rows = rowsOf(steps);
        const every = rows.flatMap((row) =>
          candlePath(row, 1).map(([, price], index): [number, number] => [
            row.startMs + index * 15_000,
            price,
          ]),
        );
        const added = hoursOf(rows).flatMap(({ candle }) =>
          candle.path.map(([offsetMs, price]): [number, number] => [candle.startMs + offsetMs, price]),
        );
        const sizesOf = (path: [number, number][]) =>
          movesOf(path, 0.02).map(({ direction, from_price, to_price }) => [direction, from_price, to_price]);
        expect(sizesOf(added)).toEqual(sizesOf(every));
      }),
      { numRuns: 100 },
    );
  });
});
