import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedPrices } from '../../../../core/market/candle.ts';
import { DAY_MS, HOUR_MS } from '../../../../core/market/time.ts';
import { writeRecorded } from '../../../../core/operate/backfill/recorded-candles.ts';
import { RECORDED_AFTER_MS } from '../../../../core/summarise/late-ticks.ts';
import { markStale } from '../../../../core/summarise/remake-moves.ts';
import { summarise } from '../../../../core/summarise/summarise.ts';
import {
  BTC,
  countsOf,
  ELSEWHERE,
  ETH,
  expectedDocuments,
  Killed,
  MemoryStore,
  MemoryTicks,
  type Recorded,
  SETTINGS,
  START_MS,
} from './in-memory.ts';

/** Within the 48 hours that late ticks are looked for. */
const HOURS = 40;
const END_MS = START_MS + HOURS * HOUR_MS;
const SERIES = [BTC, ETH, ELSEWHERE];

/** A price that depends on its time and series only, and moves by some percent. */
function priceAt(ms: number, series: number): number {
  return 100 * (1 + 0.04 * Math.sin(ms / 3_500_000 + series) + 0.03 * Math.sin(ms / 900_000));
}

function recordedAt(startMs: number, spanMs: number, series: number): RecordedPrices {
  const prices = [0, 0.3, 0.6, 0.99].map((part) => priceAt(startMs + part * spanMs, series));
  const [open = 1, , , close = 1] = prices;
  return { startMs, open, close, high: Math.max(...prices), low: Math.min(...prices) };
}

type Step =
  | { kind: 'ticks'; series: number; hour: number; polls: number }
  | { kind: 'hours'; series: number; hour: number; count: number }
  | { kind: 'days'; series: number; day: number }
  | { kind: 'again'; hour: number }
  | { kind: 'summarise'; hour: number; looks: number };

const series = fc.integer({ min: 0, max: SERIES.length - 1 });
const hour = fc.integer({ min: 0, max: HOURS - 1 });
/** How often a run finds that it still has time. */
const looks = fc.oneof(fc.constant(1_000_000), fc.integer({ min: 0, max: 12 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('ticks'), series, hour, polls: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('hours'),
      series,
      hour,
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('days'), series, day: fc.integer({ min: -2, max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again'), hour }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('summarise'), hour, looks }) },
);

/** Everything that happens to one deployment; `killAfter`: how many writes each attempt of a step survives. */
class Deployment {
  readonly ticks = new MemoryTicks();
  readonly store = new MemoryStore();
  readonly recorded: Recorded[] = [];
  readonly #counts = countsOf(this.ticks, this.store);

  async do(one: Step, killAfter: number): Promise<void> {
    this.#remember(one);
    for (let survives = killAfter; ; survives *= 2) {
      this.store.killAt = this.store.writes + survives;
      try {
        await this.#attempt(one);
        break;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        // More may come before the next run of summarise.
        if (one.kind === 'summarise') break;
      }
    }
    this.store.killAt = Number.POSITIVE_INFINITY;
  }

  #remember(one: Step): void {
    if (one.kind === 'ticks') {
      const startMs = START_MS + one.hour * HOUR_MS;
      for (let poll = 0; poll < one.polls; poll += 1) {
        const slotMs = startMs + poll * 14 * 60_000;
        this.ticks.add(SERIES[one.series] ?? BTC, slotMs, priceAt(slotMs, one.series));
      }
    }
    if (one.kind === 'hours' || one.kind === 'days') this.recorded.push(recordedBy(one));
  }

  async #attempt(one: Step): Promise<unknown> {
    const { ticks, store } = this;
    switch (one.kind) {
      case 'ticks':
        return;
      case 'hours':
      case 'days': {
        const { series: name, hours, rows } = recordedBy(one);
        return writeRecorded(name, hours, rows, SETTINGS, store);
      }
      case 'again':
        return markStale(store, START_MS + one.hour * HOUR_MS);
      case 'summarise':
        return summarise(START_MS + one.hour * HOUR_MS, {
          ticks,
          counts: this.#counts,
          store,
          settings: SETTINGS,
          hasTime: timeFor(one.looks),
        });
      default:
        return one satisfies never;
    }
  }
}

function timeFor(looks: number): () => boolean {
  let left = looks;
  return () => {
    left -= 1;
    return left >= 0;
  };
}

function recordedBy(one: Extract<Step | Event, { kind: 'hours' | 'days' }>): Recorded {
  const name = SERIES[one.series] ?? BTC;
  if (one.kind === 'days') {
    return { series: name, hours: 24, rows: [recordedAt(START_MS + one.day * DAY_MS, DAY_MS, one.series)] };
  }
  const starts = Array.from({ length: one.count }, (_, index) => START_MS + (one.hour + index) * HOUR_MS);
  return { series: name, hours: 1, rows: starts.map((startMs) => recordedAt(startMs, HOUR_MS, one.series)) };
}

describe('summaries, in any order of events and killed at any write', () => {
  it('are what the definitions make of all the data at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(step, fc.integer({ min: 1, max: 40 })), { maxLength: 25 }),
        async (steps) => {
          const deployment = new Deployment();
          for (const [one, killAfter] of steps) await deployment.do(one, killAfter);
          await deployment.do({ kind: 'summarise', hour: HOURS, looks: 1_000_000 }, 1_000_000);
          const { ticks, store, recorded } = deployment;
          expect(store.documents()).toEqual(expectedDocuments(ticks, END_MS, recorded));
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);

  it('do not change when hours are summarised again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), hour, async (steps, from) => {
        const deployment = new Deployment();
        for (const one of steps) await deployment.do(one, 1_000_000);
        await deployment.do({ kind: 'summarise', hour: HOURS, looks: 1_000_000 }, 1_000_000);
        const before = structuredClone(deployment.store.documents());
        await deployment.do({ kind: 'again', hour: from }, 1_000_000);
        await deployment.store.setSummarisedUntil(START_MS + from * HOUR_MS);
        await deployment.do({ kind: 'summarise', hour: HOURS, looks: 1_000_000 }, 1_000_000);
        expect(deployment.store.documents()).toEqual(before);
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});

/** Something that happens at an hour of the wall clock, counted from {@link START_MS}. */
type Event =
  | { kind: 'tick'; series: number; hour: number; poll: number; delay: number }
  | { kind: 'hours'; series: number; hour: number; count: number; at: number }
  | { kind: 'days'; series: number; day: number; at: number }
  | { kind: 'summarise'; at: number; looks: number; killAfter: number; thenDeletes: boolean };

const LAST_HOUR = 600;
const later = fc.integer({ min: 0, max: LAST_HOUR });
const tickEvent = fc.record({
  kind: fc.constant('tick' as const),
  series,
  hour,
  poll: fc.integer({ min: 0, max: 3 }),
  delay: fc.integer({ min: 0, max: LAST_HOUR - HOURS - 1 }),
});
const summariseEvent = fc.record({
  kind: fc.constant('summarise' as const),
  at: later,
  looks,
  killAfter: fc.oneof(fc.constant(1_000_000), fc.integer({ min: 1, max: 40 })),
  thenDeletes: fc.boolean(),
});
const hoursEvent = fc.record({
  kind: fc.constant('hours' as const),
  series,
  hour,
  count: fc.integer({ min: 1, max: 12 }),
  at: later,
});
const daysEvent = fc.record({
  kind: fc.constant('days' as const),
  series,
  day: fc.integer({ min: -2, max: 2 }),
  at: later,
});

const timeOf = (event: Event) => (event.kind === 'tick' ? event.hour + 1 + event.delay : event.at);

/** Ticks arrive whenever they do; those of hours long past are recorded, as the index function does. */
async function live(events: readonly Event[], mayDelete: boolean) {
  const [ticks, everyTick, store, recorded] = [
    new MemoryTicks(),
    new MemoryTicks(),
    new MemoryStore(),
    [] as Recorded[],
  ];
  const counts = countsOf(ticks, store);
  const run = (nowMs: number, hasTime = () => true) =>
    summarise(nowMs, { ticks, counts, store, settings: SETTINGS, hasTime });
  for (const event of events.toSorted((a, b) => timeOf(a) - timeOf(b))) {
    const nowMs = START_MS + timeOf(event) * HOUR_MS;
    switch (event.kind) {
      case 'tick': {
        const hourMs = START_MS + event.hour * HOUR_MS;
        const slotMs = hourMs + event.poll * 14 * 60_000;
        const name = SERIES[event.series] ?? BTC;
        for (const each of [ticks, everyTick]) each.add(name, slotMs, priceAt(slotMs, event.series));
        if (slotMs < nowMs - RECORDED_AFTER_MS) store.late.add(hourMs);
        break;
      }
      case 'hours':
      case 'days': {
        const history = recordedBy(event);
        recorded.push(history);
        await writeRecorded(history.series, history.hours, history.rows, SETTINGS, store);
        break;
      }
      case 'summarise': {
        store.killAt = store.writes + event.killAfter;
        const report = await run(nowMs, timeFor(event.looks)).catch((error) => {
          if (!(error instanceof Killed)) throw error;
          return undefined;
        });
        store.killAt = Number.POSITIVE_INFINITY;
        if (report?.done && event.thenDeletes && mayDelete) ticks.removeBefore(nowMs - 3 * DAY_MS);
        break;
      }
      default:
        event satisfies never;
    }
  }
  const endMs = START_MS + LAST_HOUR * HOUR_MS;
  await run(endMs);
  return { documents: store.documents(), expected: expectedDocuments(everyTick, endMs, recorded) };
}

/** A market is done, the time is over, another of its ticks comes, and the next run is more than 48 hours later. */
const LATE_IN_AN_UNFINISHED_HOUR: Event[] = [
  { kind: 'tick', series: 1, hour: 0, poll: 0, delay: 0 },
  { kind: 'tick', series: 2, hour: 34, poll: 1, delay: 0 },
  { kind: 'tick', series: 0, hour: 34, poll: 0, delay: 1 },
  { kind: 'summarise', at: 37, looks: 2, killAfter: 1_000_000, thenDeletes: false },
  { kind: 'tick', series: 2, hour: 34, poll: 0, delay: 2 },
];

describe('summaries of ticks that come weeks late', () => {
  it('are as if none had been late, also next to recorded candles', async () => {
    const event: fc.Arbitrary<Event> = fc.oneof(
      { weight: 8, arbitrary: tickEvent },
      { weight: 3, arbitrary: summariseEvent },
      { weight: 1, arbitrary: hoursEvent },
      { weight: 1, arbitrary: daysEvent },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
        const { documents, expected } = await live(events, false);
        expect(documents).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  it('are as if none had been late, even if the retention has deleted the other ticks of their hours', async () => {
    const event: fc.Arbitrary<Event> = fc.oneof(
      { weight: 8, arbitrary: tickEvent },
      { weight: 3, arbitrary: summariseEvent },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
        const { documents, expected } = await live(events, true);
        expect(documents).toEqual(expected);
      }),
      { numRuns: 300, examples: [[LATE_IN_AN_UNFINISHED_HOUR]] },
    );
  }, 60_000);
});
