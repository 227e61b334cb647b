import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { poll } from '../../../../core/ingest/poll.ts';
import { tickerId } from '../../../../core/market/ticker.ts';
import { MINUTE_MS } from '../../../../core/market/time.ts';
import { sampleTicker } from '../../../samples/tickers.ts';
import { InMemoryLake, InMemorySource, InMemoryStream, Journal } from './in-memory.ts';

const FIRST_SLOT_MS = Date.parse('2026-03-01T12:00:00.000Z');
const SLOT_MS = 2 * MINUTE_MS;
const log = { info() {}, warn() {}, error() {} };

/** Polls that share a lake and a stream; each sees its own prices, and each may end before any of its steps. */
class SharedStores {
  readonly lake = new InMemoryLake(new Journal());
  readonly stream = new InMemoryStream(new Journal());
  #polls = 0;

  /** @param schedule decides when each step takes effect */
  async poll(slotMs: number, schedule: (step: string) => Promise<void>, stepsToLive: number): Promise<void> {
    const price = ++this.#polls;
    let stepsLeft = stepsToLive;
    const stepwise = <T extends object>(target: T): T =>
      new Proxy(target, {
        get: (_, name) => {
          const value = Reflect.get(target, name);
          if (typeof value !== 'function') return value;
          return async (...args: unknown[]) => {
            await schedule(`${name.toString()} of poll ${price}`);
            if (stepsLeft-- <= 0) throw new Error('killed');
            return value.apply(target, args);
          };
        },
      });
    const source = new InMemorySource(new Journal(), { spot: [], linear: [] });
    source.fetch = async (categories, { slot }) =>
      categories.map((category) => ({
        category,
        url: 'http://exchange.example',
        receivedAt: slot,
        batch: { tickers: [sampleTicker({ category, slot, last_price: price })], rejected: [] },
      }));
    const budgetMs = { fetchDeadlineMs: slotMs + 1, deadlineMs: slotMs + 1, finishMs: slotMs + 1 };
    await poll(new Date(slotMs).toISOString(), budgetMs, {
      source: stepwise(source),
      lake: stepwise(this.lake),
      stream: stepwise(this.stream),
      log,
      now: () => slotMs,
    }).catch(() => undefined);
  }
}

const anyPoll = fc.record({
  slot: fc.nat(2),
  stepsToLive: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(14)),
});

describe('polls that run at the same time', () => {
  it('store each slot once and bring exactly that to the stream, however they overlap and wherever they end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(anyPoll, { minLength: 2, maxLength: 6 }),
        async (scheduler, polls) => {
          const stores = new SharedStores();
          const overlapping = polls.map(({ slot, stepsToLive }) =>
            stores.poll(
              FIRST_SLOT_MS + slot * SLOT_MS,
              (step) => scheduler.schedule(Promise.resolve(), step),
              stepsToLive,
            ),
          );
          await scheduler.waitFor(Promise.all(overlapping));
          for (let slot = 3; slot < 6; slot++) {
            await stores.poll(FIRST_SLOT_MS + slot * SLOT_MS, async () => {}, Number.POSITIVE_INFINITY);
          }
          const stored = [...stores.lake.batches.values()].flatMap(({ lines }) => lines);
          const ids = stored.map((line) => tickerId(JSON.parse(line)));
          expect(new Set(ids).size).toBe(ids.length);
          expect(new Set(stores.stream.records.map(({ value }) => value))).toEqual(new Set(stored));
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);
});
