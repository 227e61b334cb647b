import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  advance,
  type DetectedMove,
  initialMoveState,
  type MoveState,
  moveId,
  moveOf,
  movesOf,
} from '../../../../core/market/directional-change.ts';
import { MINUTE_MS } from '../../../../core/market/time.ts';

/** Prices a minute apart, from 1970 on. */
const pathOf = (...prices: number[]) =>
  prices.map((price, index): [number, number] => [index * MINUTE_MS, price]);
const at = (minutes: number) => new Date(minutes * MINUTE_MS).toISOString();
/** Moves in short: `fall 110→99→90`; the last price only if the move is completed. */
const inShort = (moves: DetectedMove[]) =>
  moves.map(
    ({ direction, from_price, confirmed_price, to_price }) =>
      `${direction} ${[from_price, confirmed_price, to_price].filter((price) => price !== undefined).join('→')}`,
  );

describe('the moves of a price', () => {
  it('are confirmed by the first price that is the threshold away from the extreme', () => {
    expect(movesOf(pathOf(100, 110, 125, 128, 96, 80, 99, 100), 0.25)).toEqual([
      {
        threshold: 0.25,
        direction: 'rise',
        from_price: 100,
        from_time: at(0),
        confirmed_price: 125,
        confirmed_time: at(2),
        to_price: 128,
        to_time: at(3),
        size: 0.28,
      },
      {
        threshold: 0.25,
        direction: 'fall',
        from_price: 128,
        from_time: at(3),
        confirmed_price: 96,
        confirmed_time: at(4),
        to_price: 80,
        to_time: at(5),
        size: 0.375,
      },
      {
        threshold: 0.25,
        direction: 'rise',
        from_price: 80,
        from_time: at(5),
        confirmed_price: 100,
        confirmed_time: at(7),
      },
    ]);
  });

  it('compare exactly: a price just short of the threshold confirms nothing', () => {
    expect(inShort(movesOf(pathOf(100, 90.000001), 0.1))).toEqual([]);
    expect(inShort(movesOf(pathOf(100, 90), 0.1))).toEqual(['fall 100→90']);
  });

  it('forgive the last bits: 100 × (1 + 0.1) is a little more than 110', () => {
    expect(100 * (1 + 0.1)).toBeGreaterThan(110);
    expect(inShort(movesOf(pathOf(100, 110, 99), 0.1))).toEqual(['rise 100→110→110', 'fall 110→99']);
    expect(inShort(movesOf(pathOf(100, 109.999999), 0.1))).toEqual([]);
  });

  it('keep both extremes until the first confirmation, and whichever triggers first counts', () => {
    // Neither 104 nor 96 is 10 % from the other; 105.6 is 10 % above 96, 93.6 is 10 % below 104.
    expect(inShort(movesOf(pathOf(100, 104, 96, 105.7), 0.1))).toEqual(['rise 96→105.7']);
    expect(inShort(movesOf(pathOf(100, 104, 96, 93.5), 0.1))).toEqual(['fall 104→93.5']);
  });

  it('start at the first of equal extremes', () => {
    const [fall] = movesOf(pathOf(100, 120, 120, 100), 0.1).slice(-1);
    expect(fall).toMatchObject({ from_price: 120, from_time: at(1) });
  });

  it('do not exist if the price never changes, or for one price or none', () => {
    expect(movesOf(pathOf(5, 5, 5, 5), 0.01)).toEqual([]);
    expect(movesOf(pathOf(5), 0.01)).toEqual([]);
    expect(movesOf([], 0.01)).toEqual([]);
  });

  it('continue across gaps', () => {
    const path: [number, number][] = [
      [0, 100],
      [90 * 24 * 60 * MINUTE_MS, 80],
    ];
    expect(inShort(movesOf(path, 0.1))).toEqual(['fall 100→80']);
  });

  it('are only rises at thresholds of 100 % and more', () => {
    expect(inShort(movesOf(pathOf(1, 2, 0.1, 5), 1))).toEqual(['rise 1→2']);
  });

  const price = fc.oneof(
    fc.double({ min: 90, max: 110, noNaN: true }),
    fc.integer({ min: 90, max: 110 }),
    fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
  );
  const prices = fc.array(price, { maxLength: 200 });
  const threshold = fc.constantFrom(0.001, 0.01, 0.05, 0.1, 0.5);

  it('alternate between rises and falls', () => {
    fc.assert(
      fc.property(prices, threshold, (given, size) => {
        const directions = movesOf(pathOf(...given), size).map(({ direction }) => direction);
        expect(directions.every((direction, index) => direction !== directions[index - 1])).toBe(true);
      }),
    );
  });

  it('start where the previous one ended, and only the last is under way', () => {
    fc.assert(
      fc.property(prices, threshold, (given, size) => {
        const moves = movesOf(pathOf(...given), size);
        for (const [index, move] of moves.slice(1).entries()) {
          expect(moves[index]).toMatchObject({ to_price: move.from_price, to_time: move.from_time });
        }
        expect(moves.at(-1)?.size).toBeUndefined();
      }),
    );
  });

  it('are at least as large as their threshold', () => {
    fc.assert(
      fc.property(prices, threshold, (given, size) => {
        for (const move of movesOf(pathOf(...given), size).slice(0, -1)) {
          // Comparison and division may round the last bit differently.
          expect(move.size).toBeGreaterThanOrEqual(size * (1 - 1e-12));
        }
      }),
    );
  });

  it('are the same however the path is split, with the state kept as JSON between the parts', () => {
    const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 10 });
    fc.assert(
      fc.property(prices, threshold, cuts, (given, size, ends) => {
        let state: MoveState = initialMoveState();
        const moves = new Map<string, DetectedMove>();
        for (const [index, [timeMs, value]] of pathOf(...given).entries()) {
          if (ends.includes(index)) state = JSON.parse(JSON.stringify(state)) as MoveState;
          const step = advance(state, size, value, timeMs);
          state = step.state;
          for (const move of [step.completed, step.confirmed]) {
            if (move) moves.set(move.confirmed_time, move);
          }
        }
        expect([...moves.values()]).toEqual(movesOf(pathOf(...given), size));
      }),
    );
  });

  it('agree with a straightforward reading of the definition', () => {
    fc.assert(
      fc.property(prices, threshold, (given, size) => {
        expect(inShort(movesOf(pathOf(...given), size))).toEqual(naiveMoves(given, size));
      }),
    );
  });
});

/** The definition, applied by looking back over all prices instead of keeping state. */
function naiveMoves(prices: number[], threshold: number): string[] {
  const found: { direction: string; from: number; confirmed: number }[] = [];
  let since = 0;
  let mode = '';
  for (let now = 0; now < prices.length; now += 1) {
    const price = prices[now] as number;
    const past = prices.slice(since, now);
    const high = Math.max(...past);
    const low = Math.min(...past);
    if (past.length > 0 && mode !== 'down' && 1 - price / high >= threshold - 1e-12) {
      found.push({ direction: 'fall', from: high, confirmed: price });
      [mode, since] = ['down', now];
    } else if (past.length > 0 && mode !== 'up' && price / low - 1 >= threshold - 1e-12) {
      found.push({ direction: 'rise', from: low, confirmed: price });
      [mode, since] = ['up', now];
    }
  }
  return found.map(({ direction, from, confirmed }, index) =>
    [`${direction} ${from}`, confirmed, found[index + 1]?.from]
      .filter((part) => part !== undefined)
      .join('→'),
  );
}

describe('a move’s record', () => {
  const [move] = movesOf(pathOf(100, 90), 0.1) as [DetectedMove];
  const series = { exchange: 'bybit', category: 'spot', symbol: 'BTCUSDT' } as const;

  it('names its series', () => {
    expect(moveOf(series, move)).toEqual({ v: 1, ...series, ...move });
  });

  it('has an id of series, threshold and confirmation', () => {
    expect(moveId(moveOf(series, move))).toBe(`bybit:spot:BTCUSDT:0.1:${MINUTE_MS}`);
  });
});
