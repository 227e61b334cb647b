import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candle, candleFromHistory, candleFromTicks } from '../../../../core/market/candle.ts';
import { DAY_MS, HOUR_MS } from '../../../../core/market/time.ts';
import {
  LedgerOrderError,
  movesUnderWay,
  newLedger,
  rewind,
  throughMs,
  walk,
} from '../../../../core/summarise/series-ledger.ts';
import { BTC, START_MS } from './in-memory.ts';

const THRESHOLDS = [0.01, 0.05];
const at = (hour: number) => START_MS + hour * HOUR_MS;
const candle = (hour: number, ...prices: number[]): Candle =>
  candleFromTicks(
    BTC,
    at(hour),
    prices.map((price, poll) => ({ slotMs: at(hour) + poll * 60_000, price })),
  );
const hours = (count: number) =>
  Array.from({ length: count }, (_, hour) =>
    candle(hour, 100 + 8 * Math.sin(hour), 100 + 8 * Math.cos(hour * 2)),
  );

describe('the ledger of a series', () => {
  it('reaches the same state in pieces as in one go', () => {
    const candles = hours(200);
    const whole = walk(newLedger(BTC, THRESHOLDS), candles);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 12 }), (sizes) => {
        let ledger = newLedger(BTC, THRESHOLDS);
        let from = 0;
        for (const size of [...sizes, candles.length]) {
          // Kept between the pieces, as JSON.
          ledger = JSON.parse(JSON.stringify(walk(ledger, candles.slice(from, from + size)).ledger));
          from += size;
        }
        expect(ledger).toEqual(JSON.parse(JSON.stringify(whole.ledger)));
      }),
    );
  });

  it('rewinds to the start of a day, or to the very beginning', () => {
    const { ledger } = walk({ ...newLedger(BTC, THRESHOLDS), stale: false }, hours(200));
    expect(throughMs(ledger)).toBe(at(200));
    expect(throughMs(rewind(ledger, at(190)))).toBe(at(168));
    expect(rewind(ledger, at(190)).stale).toBe(true);
    expect(throughMs(rewind(ledger, at(152)))).toBe(at(144));
    expect(rewind(ledger, at(10))).toEqual(newLedger(BTC, THRESHOLDS));
  });

  it('can always rewind 48 hours', () => {
    for (let count = 72; count < 150; count += 1) {
      const { ledger } = walk(newLedger(BTC, THRESHOLDS), hours(count));
      expect(throughMs(rewind(ledger, at(count - 48)))).toBeGreaterThan(0);
    }
  });

  it('reaches the same state after a rewind', () => {
    const candles = hours(200);
    const { ledger } = walk(newLedger(BTC, THRESHOLDS), candles);
    const back = rewind(ledger, at(170));
    const again = candles.filter(({ startMs }) => startMs >= throughMs(back));
    expect(walk(back, again).ledger).toEqual({ ...ledger, stale: true });
  });

  it('is only marked stale by a rewind to where it is', () => {
    const { ledger } = walk({ ...newLedger(BTC, THRESHOLDS), stale: false }, hours(3));
    expect(rewind(ledger, at(3))).toEqual({ ...ledger, stale: true });
  });

  it('walks daily and hourly candles in turn', () => {
    const prices = { startMs: START_MS - DAY_MS, open: 100, high: 110, low: 99, close: 100 };
    const { ledger, moves } = walk(newLedger(BTC, [0.05]), [
      candleFromHistory(BTC, prices, 24),
      candle(0, 120),
    ]);
    expect(throughMs(ledger)).toBe(at(1));
    expect(moves.map(({ direction, confirmed_price }) => [direction, confirmed_price])).toEqual([
      ['rise', 110],
      ['fall', 100],
      ['rise', 120],
    ]);
    expect(movesUnderWay(ledger)).toEqual(moves.slice(-1));
  });

  it('rejects a candle that it has already walked', () => {
    const { ledger } = walk(newLedger(BTC, THRESHOLDS), hours(3));
    expect(() => walk(ledger, [candle(2, 100)])).toThrow(LedgerOrderError);
  });
});
