import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CandleObject } from '../../../../../core/lake/candle-objects.ts';
import type { RecordedPrices } from '../../../../../core/market/candle.ts';
import { DAY_MS, dayOf, HOUR_MS } from '../../../../../core/market/time.ts';
import { writeRecorded } from '../../../../../core/operate/backfill/recorded-candles.ts';
import { withdraw } from '../../../../../core/operate/backfill/withdraw.ts';
import { remakeMoves } from '../../../../../core/summarise/remake-moves.ts';
import { summarise } from '../../../../../core/summarise/summarise.ts';
import {
  BTC,
  countsOf,
  expectedDocuments,
  Killed,
  MemoryStore,
  MemoryTicks,
  SETTINGS,
  START_MS,
} from '../../summarise/in-memory.ts';

/** Within the 48 hours that late ticks are looked for. */
const HOURS = 40;
const LATER = 600;
const killAfter = fc.integer({ min: 1, max: 60 });

/** Each run has prices of its own. */
function recordedAt(startMs: number, spanMs: number, run: number): RecordedPrices {
  const wave = (part: number) => Math.sin((startMs + part * spanMs) / (2_500_000 + run * 700_000));
  const prices = [0, 0.3, 0.6, 0.99].map((part) => 100 + run + 5 * wave(part));
  const [open = 1, , , close = 1] = prices;
  return { startMs, open, close, high: Math.max(...prices), low: Math.min(...prices) };
}

const runName = fc.integer({ min: 0, max: 3 });
const hour = fc.integer({ min: 0, max: HOURS - 1 });
const step = fc.oneof(
  fc.record({ kind: fc.constant('ticks' as const), hour, polls: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant('hours' as const),
    run: runName,
    hour,
    count: fc.integer({ min: 1, max: 30 }),
  }),
  fc.record({ kind: fc.constant('days' as const), run: runName, day: fc.integer({ min: -2, max: 1 }) }),
  fc.record({ kind: fc.constant('summarise' as const), hour }),
  fc.record({ kind: fc.constant('undo' as const), run: runName }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A deployment whose lake keeps what each run recorded. */
class Deployment {
  readonly ticks = new MemoryTicks();
  readonly store = new MemoryStore();
  lake: { object: CandleObject; rows: RecordedPrices[] }[] = [];

  async do(one: Step, killAfter: number): Promise<void> {
    if (one.kind === 'ticks') return this.#addTicks(one.hour, one.polls);
    if (one.kind === 'hours') this.#keep(one.run, 1, START_MS + one.hour * HOUR_MS, one.count);
    if (one.kind === 'days') this.#keep(one.run, 24, START_MS + one.day * DAY_MS, 1);
    for (let survives = killAfter; ; survives *= 2) {
      this.store.killAt = this.store.writes + survives;
      try {
        await this.#attempt(one);
        break;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
    }
    this.store.killAt = Number.POSITIVE_INFINITY;
    if (one.kind === 'undo') this.lake = this.lake.filter(({ object }) => object.run !== String(one.run));
  }

  #addTicks(inHour: number, polls: number): void {
    for (let poll = 0; poll < polls; poll += 1) {
      const slotMs = START_MS + inHour * HOUR_MS + poll * 14 * 60_000;
      this.ticks.add(BTC, slotMs, 100 + 4 * Math.sin(slotMs / 3_000_000));
    }
  }

  #keep(run: number, hours: 1 | 24, firstMs: number, count: number): void {
    const spanMs = hours * HOUR_MS;
    const rows = Array.from({ length: count }, (_, at) => recordedAt(firstMs + at * spanMs, spanMs, run));
    const lastMs = firstMs + (count - 1) * spanMs;
    const object = { ...BTC, hours, firstMs, lastMs, format: 'rows', run: String(run) };
    this.lake.push({ object, rows });
  }

  async #attempt(one: Step): Promise<unknown> {
    const { ticks, store, lake } = this;
    const settings = SETTINGS;
    if (one.kind === 'summarise') {
      const nowMs = START_MS + one.hour * HOUR_MS;
      return summarise(nowMs, {
        ticks,
        counts: countsOf(ticks, store),
        store,
        settings,
        hasTime: () => true,
      });
    }
    if (one.kind !== 'undo') {
      const last = lake.at(-1);
      return last && writeRecorded(BTC, last.object.hours, last.rows, settings, store);
    }
    const others = lake.filter(({ object }) => object.run !== String(one.run)).map(({ object }) => object);
    const read = async (object: CandleObject) => lake.find((each) => each.object === object)?.rows ?? [];
    for (const { object } of lake.filter((each) => each.object.run === String(one.run))) {
      const window = { fromMs: dayOf(object.firstMs), toMs: dayOf(object.lastMs) + DAY_MS };
      await withdraw({ object, window, others }, { read, seriesOf: () => BTC, ticks, settings, store });
    }
    return remakeMoves(settings, store, () => true);
  }
}

const hours = (run: number, hour: number, count: number): [Step, number] => [
  { kind: 'hours', run, hour, count },
  1,
];
/** Hour 35 has its tick again, but the undo is killed before hour 36 has its return from there. */
const KILLED_BEFORE_A_RETURN: [[Step, number][], [number, number][]] = [
  [
    hours(0, 5, 1),
    hours(1, 0, 4),
    [{ kind: 'days', run: 1, day: -1 }, 1],
    hours(1, 4, 23),
    hours(1, 13, 23),
    [{ kind: 'ticks', hour: 35, polls: 1 }, 1],
    [{ kind: 'ticks', hour: 36, polls: 1 }, 1],
  ],
  [[1, 38]],
];

describe('an undone run of backfill', () => {
  it('leaves candles and moves as if it had never been, whatever else happened and wherever it was killed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(step, killAfter), { maxLength: 20 }),
        fc.array(fc.tuple(runName, killAfter), { maxLength: 2 }),
        async (steps, undone) => {
          const deployment = new Deployment();
          for (const [one, kill] of steps) await deployment.do(one, kill);
          // Long after, so that no summary looks at these hours again.
          for (const hour of [HOURS, LATER]) await deployment.do({ kind: 'summarise', hour }, 1_000_000);
          for (const [run, kill] of undone) await deployment.do({ kind: 'undo', run }, kill);
          await deployment.do({ kind: 'summarise', hour: LATER }, 1_000_000);
          const { ticks, store, lake } = deployment;
          const recorded = lake.map(({ object, rows }) => ({ series: BTC, hours: object.hours, rows }));
          expect(store.documents()).toEqual(expectedDocuments(ticks, START_MS + LATER * HOUR_MS, recorded));
        },
      ),
      { numRuns: 300, examples: [KILLED_BEFORE_A_RETURN] },
    );
  }, 60_000);
});
