import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { markerText, parseMarker, parseMarkerOfSource } from '../../../../core/ingest/marker-text.ts';
import { poll } from '../../../../core/ingest/poll.ts';
import type { PollReport } from '../../../../core/ingest/report.ts';
import { type BatchAddress, markerKey, tickersKey } from '../../../../core/lake/ticker-objects.ts';
import { DAY_MS, MINUTE_MS } from '../../../../core/market/time.ts';
import { MOST_BACKLOG_BATCHES } from '../../../../core/runtime/budgets.ts';
import { sampleTicker } from '../../../samples/tickers.ts';
import { InMemoryLake, InMemorySource, InMemoryStream, Journal } from './in-memory.ts';

const NOON_MS = Date.parse('2026-03-01T12:00:00.000Z');
const SLOT_MS = 2 * MINUTE_MS;
const RETENTION_MS = 4 * DAY_MS;
const MARKET = { exchange: 'bybit', category: 'spot' } as const;

/** A process that ends before its n-th step; nothing of it happens afterwards. */
class MortalJournal extends Journal {
  stepsLeft = Number.POSITIVE_INFINITY;
  override step(name: string): void {
    if (this.stepsLeft <= 0) throw new Error('killed');
    this.stepsLeft -= 1;
    super.step(name);
  }
}

/** A pipeline whose parts fail as a test wants. */
class FragilePipeline {
  readonly journal = new MortalJournal();
  readonly lake = new InMemoryLake(this.journal);
  readonly stream = new InMemoryStream(this.journal);
  readonly source = new InMemorySource(this.journal, { spot: ['BTCUSDT'], linear: ['BTCUSDT'] });
  slotMs = NOON_MS;
  /** What polls said in their logs is left to replay: market and [from, to). */
  readonly left: { category: string; fromMs: number; toMs: number }[] = [];
  /** Writes that reach the lake only after some more polls. */
  readonly late: { inPolls: number; address: BatchAddress; lines: readonly string[] }[] = [];
  lateBy: number | undefined;
  kafka: 'up' | 'down' | 'partly' = 'up';
  /** The poll's clock. Producing a slot takes 100 ms, everything else none. */
  #nowMs = NOON_MS;

  constructor() {
    const put = this.lake.putTickers.bind(this.lake);
    this.lake.putTickers = async (address, lines) => {
      if (this.lateBy === undefined || address.category !== 'spot') return put(address, lines);
      this.late.push({ inPolls: this.lateBy, address, lines });
      throw new Error('no answer in time');
    };
    const produce = this.stream.produce.bind(this.stream);
    this.stream.produce = async (records) => {
      this.#nowMs += 100;
      if (this.kafka === 'up') return produce(records);
      if (this.kafka === 'partly') await produce(records.slice(0, 1));
      throw new Error('Kafka is down');
    };
  }

  async poll(budgetMs = 20_000): Promise<PollReport | undefined> {
    const before = this.stream.records.length;
    const nowMs = this.slotMs;
    this.#nowMs = nowMs;
    const budget = { fetchDeadlineMs: nowMs + 1, deadlineMs: nowMs + budgetMs, finishMs: nowMs + budgetMs };
    const log = {
      info() {},
      warn() {},
      error: (_: string, details?: object) => this.note(details as { advice?: string }),
    };
    const { source, lake, stream } = this;
    const given = { source, lake, stream, log, now: () => this.#nowMs, retentionMs: RETENTION_MS };
    const report = await poll(new Date(nowMs).toISOString(), budget, given).catch(() => undefined);
    const [first] = this.stream.records.slice(before);
    if (first && report?.categories.some(({ status }) => status === 'polled')) {
      expect(Date.parse(JSON.parse(first.value).slot), 'the first slot produced').toBe(nowMs);
    }
    this.land(1);
    return report;
  }

  note({ advice = '' }: { advice?: string } = {}): void {
    const [, category, from, to] = /bybit (\w+) batches from (\S+) to (\S+) /.exec(advice) ?? [];
    if (category && from && to) {
      this.left.push({ category, fromMs: Date.parse(from), toMs: Date.parse(to) });
    }
  }

  land(polls: number): void {
    for (const write of this.late.splice(0)) {
      write.inPolls -= polls;
      const { address, lines } = write;
      const key = tickersKey(address);
      if (write.inPolls >= 0) this.late.push(write);
      else if (!this.lake.batches.has(key)) this.lake.batches.set(key, { address, lines });
    }
  }

  /** Slots in the lake that are neither on the stream nor left to replay. */
  lost(): string[] {
    const produced = new Set(this.stream.records.map(({ value }) => value));
    return [...this.lake.batches.values()]
      .filter(({ lines }) => !lines.every((line) => produced.has(line)))
      .filter(
        ({ address: { category, slotMs } }) =>
          !this.left.some(
            (each) => each.category === category && each.fromMs <= slotMs && slotMs < each.toMs,
          ),
      )
      .map(({ address }) => `${address.category} ${new Date(address.slotMs).toISOString()}`);
  }
}

const anyStep = fc.record({
  /** Slots since the poll before; 0 is a retry of the same slot. */
  slots: fc.oneof(fc.constantFrom(0, 1, 1, 1, 1), fc.constantFrom(40, 1_500, 4_000)),
  killedAfterSteps: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(20)),
  kafka: fc.constantFrom('up' as const, 'up' as const, 'down' as const, 'partly' as const),
  exchange: fc.constantFrom('up', 'up', 'up', 'down'),
  marker: fc.constantFrom('kept', 'kept', 'kept', 'kept', 'lost', 'broken'),
  lateBy: fc.option(fc.nat(5), { nil: undefined, freq: 6 }),
  /** Enough for everything, for this slot and one of the backlog, for this slot, and for nothing. */
  budgetMs: fc.constantFrom(20_000, 20_000, 200, 200, 100, 0),
  polls: fc.constantFrom(1, 1, 1, 13),
});

describe('whatever happens to polls', () => {
  it('eventually produces every batch of the lake, each poll’s own first, or says what is left', async () => {
    const steps = fc.array(anyStep, { minLength: 1, maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const pipeline = new FragilePipeline();
        const { journal, lake, source } = pipeline;
        for (const step of sequence.flatMap((each) => Array<typeof each>(each.polls).fill(each))) {
          pipeline.slotMs += step.slots * SLOT_MS;
          pipeline.land(step.slots - 1);
          pipeline.kafka = step.kafka;
          pipeline.lateBy = step.lateBy;
          source.failures = {};
          if (step.exchange === 'down') source.goDown();
          if (step.marker === 'lost') lake.markers.delete(markerKey(MARKET));
          if (step.marker === 'broken') lake.markers.set(markerKey(MARKET), '{"v":2,"through"');
          journal.stepsLeft = step.killedAfterSteps;
          await pipeline.poll(step.budgetMs);
        }
        journal.stepsLeft = Number.POSITIVE_INFINITY;
        Object.assign(pipeline, { kafka: 'up', lateBy: undefined });
        source.failures = {};
        let report: PollReport | undefined;
        for (let left = 20; left > 0; left -= 1) {
          pipeline.slotMs += SLOT_MS;
          report = await pipeline.poll();
        }
        expect(report).toMatchObject({ waitingBatches: 0, produced: 2 });
        expect(pipeline.lost()).toEqual([]);
      }),
      { numRuns: 80 },
    );
  }, 60_000);
});

describe('a backlog that lasts', () => {
  it('is worked off oldest first, while the slots of the polls in between are produced before it', async () => {
    const pipeline = new FragilePipeline();
    const polls = async (count: number, budgetMs?: number) => {
      for (let left = count; left > 0; left -= 1) {
        await pipeline.poll(budgetMs);
        pipeline.slotMs += SLOT_MS;
      }
    };
    pipeline.kafka = 'down';
    await polls(40);
    pipeline.kafka = 'up';
    await polls(15, 200); // time for one slot of the backlog each
    await polls(1);
    const positions = pipeline.stream.records
      .filter(({ key }) => key === 'bybit:spot:BTCUSDT')
      .map(({ value }) => (Date.parse(JSON.parse(value).slot) - NOON_MS) / SLOT_MS);
    const ofSlowPolls = Array.from({ length: 15 }, (_, index) => [40 + index, index]).flat();
    const rest = Array.from({ length: 25 }, (_, index) => 15 + index);
    expect(positions).toEqual([...ofSlowPolls, 55, ...rest]);
  });
});

describe('a market without a marker', () => {
  const fill = (pipeline: FragilePipeline, slots: number) => {
    for (let position = -slots; position < 0; position += 1) {
      const slotMs = NOON_MS + position * SLOT_MS;
      const line = JSON.stringify(sampleTicker({ slot: new Date(slotMs).toISOString() }));
      const address = { ...MARKET, slotMs };
      pipeline.lake.batches.set(tickersKey(address), { address, lines: [line] });
    }
  };

  it('begins an hour ago, and names the command for what is older', async () => {
    const pipeline = new FragilePipeline();
    fill(pipeline, 100);
    const report = await pipeline.poll();
    expect(report).toMatchObject({ backlogBatches: 30, waitingBatches: 0 });
    expect(report?.leftToReplay).toEqual([
      'The lake has bybit spot batches from 2026-03-01T08:40:00.000Z to 2026-03-01T11:00:00.000Z that the stream may not have: there was no outbox marker. Polls do not produce them; "npm run replay -- --exchange bybit --from 2026-03-01T08:40:00.000Z --to 2026-03-01T11:00:00.000Z" does (with --stage for a deployed stage)',
    ]);
  });

  it('keeps its beginning however long the stream is down', async () => {
    const pipeline = new FragilePipeline();
    pipeline.kafka = 'down';
    for (let polls = 0; polls < 60; polls += 1) {
      await pipeline.poll();
      pipeline.slotMs += SLOT_MS;
    }
    pipeline.kafka = 'up';
    expect(await pipeline.poll()).toMatchObject({ backlogBatches: 120, waitingBatches: 0 });
    expect(pipeline.left).toEqual([]);
    expect(pipeline.lost()).toEqual([]);
  });

  it('sets an unreadable one aside, says so once, and continues', async () => {
    const pipeline = new FragilePipeline();
    pipeline.lake.markers.set(markerKey(MARKET), 'oops');
    expect(await pipeline.poll()).toMatchObject({
      produced: 2,
      unreadable: [
        expect.stringMatching(
          /^state\/exchange=bybit\/category=spot.json cannot be read: .*It is kept as state\/unreadable\//,
        ),
      ],
    });
    expect([...pipeline.lake.markers.values()]).toContain('oops');
    pipeline.slotMs += SLOT_MS;
    expect(await pipeline.poll()).not.toHaveProperty('unreadable');
  });

  it('does not begin with what the index would not keep any more', async () => {
    const pipeline = new FragilePipeline();
    fill(pipeline, 4 * 24 * 30);
    const throughMs = NOON_MS - 10 * DAY_MS;
    pipeline.lake.markers.set(markerKey(MARKET), markerText({ throughMs, beyondMs: [] }));
    const report = await pipeline.poll(100_000);
    const oldestMs = NOON_MS - RETENTION_MS + DAY_MS;
    expect(pipeline.left).toMatchObject([{ toMs: oldestMs }]);
    expect(report?.backlogBatches).toBe(MOST_BACKLOG_BATCHES);
    const slots = pipeline.stream.records.map(({ value }) => Date.parse(JSON.parse(value).slot));
    expect(Math.min(...slots)).toBe(oldestMs);
  });
});

describe('a marker', () => {
  const slots = fc.integer({ min: 0, max: 4e12 });

  it('is read as it was written', () => {
    const beyondMs = fc.uniqueArray(slots).map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(slots, beyondMs, fc.option(fc.nat(), { nil: undefined }), (throughMs, beyond, tickers) => {
        const marker = { throughMs, beyondMs: beyond, ...(tickers === undefined ? {} : { tickers }) };
        expect(parseMarker(markerText(marker))).toEqual(marker);
      }),
    );
  });

  it.each(['', 'null', '[]', '{}', '{"v":2,"through":"yesterday","beyond":[]}', '{"v":3}'])(
    'is not %j',
    (text) => {
      expect(() => parseMarker(text)).toThrow();
    },
  );

  it('continues from that of an earlier version, which was kept by source', () => {
    const text = `{"v":1,"acknowledged":{"spot":{"slot":"2026-03-01T12:00:00.000Z","tickers":7}}}`;
    expect(parseMarkerOfSource(text, 'spot')).toEqual({ throughMs: NOON_MS, beyondMs: [], tickers: 7 });
    expect(parseMarkerOfSource(text, 'linear')).toBeUndefined();
    expect(() => parseMarkerOfSource('{}', 'spot')).toThrow();
  });
});
