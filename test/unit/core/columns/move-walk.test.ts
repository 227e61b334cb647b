import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MoveWalk } from '../../../../core/columns/move-walk.ts';
import { type DetectedMove, type MoveState, movesOf } from '../../../../core/market/directional-change.ts';

const THRESHOLDS = [0.01, 0.05];
const paths = fc.array(fc.integer({ min: 90, max: 110 }), { maxLength: 80 });

it('finds the same moves in the parts of a path as in the whole', () => {
  fc.assert(
    fc.property(paths, fc.array(fc.nat(80), { maxLength: 6 }), (prices, cuts) => {
      const path = prices.map((price, at): [number, number] => [at * 60_000, price]);
      const found: DetectedMove[] = [];
      let states = new Map<number, MoveState>();
      const edges = [0, ...cuts.toSorted((a, b) => a - b), path.length];
      for (const [index, edge] of edges.slice(1).entries()) {
        const walk = new MoveWalk(THRESHOLDS, states);
        for (const [timeMs, price] of path.slice(edges[index], edge)) walk.take(timeMs, price);
        const part = walk.end();
        for (const { threshold, confirmed_time, ...end } of part.completed) {
          const started = found.find(
            (move) => move.threshold === threshold && move.confirmed_time === confirmed_time,
          );
          Object.assign(started ?? {}, end);
        }
        found.push(...part.moves);
        states = new Map(JSON.parse(JSON.stringify([...part.states])));
      }
      for (const threshold of THRESHOLDS) {
        expect(found.filter((move) => move.threshold === threshold)).toEqual(movesOf(path, threshold));
      }
    }),
  );
});
