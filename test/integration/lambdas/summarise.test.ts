import { Readable } from 'node:stream';
import type { Client } from '@opensearch-project/opensearch';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SUMMARY_STATE_INDEX } from '../../../core/market/index-names.ts';
import { formatSeries } from '../../../core/market/series.ts';
import { DAY_MS, HOUR_MS } from '../../../core/market/time.ts';
import type { MarketTicks } from '../../../core/summarise/ports.ts';
import { newLedger, type SeriesLedger } from '../../../core/summarise/series-ledger.ts';
import { summarise } from '../../../core/summarise/summarise.ts';
import { OpenSearchBulk } from '../../../stores/opensearch/bulk.ts';
import { createOpenSearch } from '../../../stores/opensearch/client.ts';
import { LeaseBusyError, withLease } from '../../../stores/opensearch/lease.ts';
import { OpenSearchSearch } from '../../../stores/opensearch/search.ts';
import { OpenSearchSummaries } from '../../../stores/opensearch/summaries.ts';
import { withSummaryStores } from '../../../stores/opensearch/summary-stores.ts';
import { OpenSearchTicks } from '../../../stores/opensearch/ticks.ts';
import { until } from '../../faults/world.ts';
import { SILENT_LOG } from '../../samples/tickers.ts';
import {
  BTC,
  ETH,
  expectedDocuments,
  Killed,
  MemoryTicks,
  SETTINGS,
  START_MS,
} from '../../unit/core/summarise/in-memory.ts';
import { clearSummaries, clearTickers, emptyIndices, openSearch, services } from '../services.ts';
import { startSetup, startSummarise } from './handlers.ts';
import { indexTicks, storedDocuments } from './summaries.ts';

const at = (hour: number) => START_MS + hour * HOUR_MS;
const iso = (ms: number) => new Date(ms).toISOString();
const ENVIRONMENT = { MOVE_THRESHOLDS: '0.01,0.05', SAMPLING_INTERVALS: '{"recorded:spot":900000}' };

/** Prices with moves in every hour, none of them a short decimal. */
function wavy(hour: number): number[] {
  return [0, 1, 2, 3].map((poll) => 6_400 * (1 + 0.03 * Math.sin(hour * 1.7 + poll)));
}

function ticksOf(hours: number): MemoryTicks {
  const ticks = new MemoryTicks();
  for (let hour = 0; hour < hours; hour += 1) {
    ticks.addHour(BTC, hour, ...wavy(hour));
    if (hour % 7 !== 3) ticks.addHour(ETH, hour, ...wavy(hour + 5).map((price) => price / 14));
  }
  return ticks;
}

beforeEach(async () => {
  await clearTickers();
  await clearSummaries();
  await (await startSetup())();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await clearTickers();
  await clearSummaries();
  await openSearch.close();
});

describe('the summarise function', () => {
  it('makes the candles and moves of every closed hour, to the last digit', async () => {
    const ticks = ticksOf(30);
    await indexTicks(ticks);
    const run = await startSummarise(ENVIRONMENT);
    expect(await run(iso(at(29) + 10 * 60_000))).toMatchObject({ hours: 29, done: true, until: iso(at(29)) });
    expect(await storedDocuments()).toEqual(expectedDocuments(ticks, at(29)));
  });

  it('reads the ticks of a large market part by part, each of them once', async () => {
    await indexTicks(ticksOf(2));
    const deadlineMs = Date.now() + 20_000;
    const ticks = new OpenSearchTicks(openSearch, new OpenSearchSearch(openSearch, deadlineMs), deadlineMs);
    const [market] = (await ticks.marketsOf(at(1))) as [MarketTicks];
    const atOnce = await ticks.ticksOf(at(1), market);
    expect(atOnce.map((each) => each.ticks.length)).toEqual([4, 4]);
    expect(await ticks.ticksOf(at(1), { ...market, ticks: 200_000 })).toEqual(atOnce);
  });

  it('continues with the next hours, and repeats those that late ticks change', async () => {
    const ticks = ticksOf(12);
    await indexTicks(ticks);
    const run = await startSummarise(ENVIRONMENT);
    await run(iso(at(6)));
    ticks.addHour(ETH, 3, 100, 101);
    ticks.addHour(BTC, 13, 7_000);
    await indexTicks(ticks);
    expect(await run(iso(at(14)))).toMatchObject({ lateFrom: iso(at(3)), done: true });
    expect(await storedDocuments()).toEqual(expectedDocuments(ticks, at(14)));
  });

  it('summarises ticks that come weeks late, once', async () => {
    const ticks = ticksOf(12);
    await indexTicks(ticks);
    const run = await startSummarise(ENVIRONMENT);
    await run(iso(at(12)));
    await run(iso(at(800)));
    const late = new MemoryTicks();
    late.addHour(ETH, 3, 100, 101);
    late.add(BTC, at(5) + 55 * 60_000, 7_000);
    await indexTicks(late, at(800));
    for (const { series, ticks: ofSeries } of late.all()) {
      for (const { slotMs, price } of ofSeries) ticks.add(series, slotMs, price);
    }
    expect(await run(iso(at(801)))).toMatchObject({ hours: 2, lateFrom: iso(at(3)), done: true });
    expect(await storedDocuments()).toEqual(expectedDocuments(ticks, at(801)));
    expect(await run(iso(at(801)))).toMatchObject({ hours: 0, candles: 0, moves: 0 });
  });

  it('writes nothing in a second run', async () => {
    const ticks = ticksOf(5);
    await indexTicks(ticks);
    const run = await startSummarise(ENVIRONMENT);
    await run(iso(at(5)));
    expect(await run(iso(at(5)))).toMatchObject({ hours: 0, candles: 0, moves: 0, done: true });
  });

  it('leaves the rest to the next run if time is short', async () => {
    const ticks = ticksOf(120);
    await indexTicks(ticks);
    const run = await startSummarise(ENVIRONMENT);
    let runs = 0;
    do runs += 1;
    while (!(await run(iso(at(120)), 2_000)).done && runs < 100);
    expect(runs).toBeGreaterThan(1);
    expect(await storedDocuments()).toEqual(expectedDocuments(ticks, at(120)));
  });

  it('finds nothing to do in an OpenSearch without ticks', async () => {
    const run = await startSummarise(ENVIRONMENT);
    expect(await run(iso(at(5)))).toMatchObject({ hours: 0, done: true });
  });

  it('deletes months of ticks older than the retention and keeps their candles', async () => {
    const ticks = ticksOf(3);
    const september = (Date.UTC(2018, 8, 1) - START_MS) / HOUR_MS;
    ticks.addHour(BTC, september, 7_000, 7_100);
    await indexTicks(ticks);
    const run = await startSummarise({ ...ENVIRONMENT, TICK_RETENTION_DAYS: '30' });
    const report = await run(iso(at(september + 1)));
    expect(report.deletedMonths).toEqual(['2018.07']);
    const { body } = await openSearch.indices.get({ index: 'tickers-*' });
    expect(Object.keys(body)).toEqual(['tickers-2018.09']);
    expect(await storedDocuments()).toEqual(expectedDocuments(ticks, at(september + 1)));
    expect(await run(iso(at(september + 2)))).toMatchObject({ deletedMonths: [], candles: 0 });
  });

  it('keeps a month with ticks that are not summarised, and summarises them first', async () => {
    const ticks = ticksOf(3);
    await indexTicks(ticks);
    const run = await startSummarise({ ...ENVIRONMENT, TICK_RETENTION_DAYS: '30' });
    await run(iso(at(3)));
    ticks.addHour(BTC, 100, 7_000);
    const later = START_MS + 70 * DAY_MS;
    await (await startSummarise(ENVIRONMENT))(iso(later));
    ticks.addHour(BTC, 200, 7_000);
    await indexTicks(ticks);
    // The first run finds the tick, the second summarises it and deletes.
    const again = await startSummarise({ ...ENVIRONMENT, TICK_RETENTION_DAYS: '30' });
    expect((await again(iso(later))).deletedMonths).toEqual([]);
    expect((await again(iso(later))).deletedMonths).toEqual(['2018.07']);
    expect(await storedDocuments()).toEqual(expectedDocuments(ticks, later));
  });
});

describe('killed at any of its requests', () => {
  /** A client that simulates a kill at its n-th request that changes something. */
  function mortalClient(killAt: number) {
    const client = createOpenSearch(services.openSearch);
    const request = client.transport.request.bind(client.transport);
    let changes = 0;
    client.transport.request = ((...given: Parameters<typeof request>) => {
      const [{ method, path }] = given;
      const changing = path === '/_bulk' || method === 'PUT';
      if (changing) changes += 1;
      if (changes >= killAt && (changing || changes > killAt))
        throw new Killed(`killed at change ${changes}`);
      return request(...given);
    }) as typeof request;
    return { client, changes: () => changes };
  }

  async function attempt(killAt: number, nowMs: number): Promise<number> {
    const { client, changes } = mortalClient(killAt);
    const deadlineMs = Date.now() + 60_000;
    // Whoever is killed as it takes the lease would only go on trying.
    const waitUntilMs = killAt === Number.POSITIVE_INFINITY ? deadlineMs : 0;
    try {
      await withSummaryStores(
        { client, log: SILENT_LOG, purpose: 'test', waitUntilMs, deadlineMs },
        ({ store, ticks, counts }) =>
          summarise(nowMs, { store, ticks, counts, settings: SETTINGS, hasTime: () => true }),
      );
      return changes();
    } finally {
      await client.close();
      // After a real kill the lease expires; waiting for that here would only take time.
      await openSearch.delete({ index: SUMMARY_STATE_INDEX, id: 'lease' }).catch(() => {});
    }
  }

  it('and run again, it produces the same documents', async () => {
    const ticks = ticksOf(3);
    await indexTicks(ticks);
    const late = new MemoryTicks();
    late.addHour(ETH, 1, 300, 310, 320, 330, 340);
    for (let killAt = 1; ; killAt += 1) {
      await emptyIndices();
      await indexTicks(ticks);
      await attempt(Number.POSITIVE_INFINITY, at(2));
      await indexTicks(late);
      const survived = await attempt(killAt, at(3)).catch((error) => {
        if (!(error instanceof Killed)) throw error;
        return undefined;
      });
      await attempt(Number.POSITIVE_INFINITY, at(3));
      const both = ticksOf(3);
      // Existing documents stay: an id has only one.
      both.addHour(ETH, 1, ...wavy(6).map((price) => price / 14));
      both.add(ETH, at(1) + 40 * 60_000, 340);
      expect(await storedDocuments()).toEqual(expectedDocuments(both, at(3)));
      if (survived !== undefined) {
        expect(killAt).toBeGreaterThan(8);
        break;
      }
    }
  }, 240_000);
});

describe('the lease', () => {
  const options = (purpose: string, waitMs = 60_000, ttlMs = 60_000) => ({
    client: openSearch,
    purpose,
    waitUntilMs: Date.now() + waitMs,
    ttlMs,
  });

  it('lets one process work at a time, and the next as soon as it is free', async () => {
    const events: string[] = [];
    const work = (name: string) =>
      withLease(options(name), async () => {
        events.push(`${name} begins`);
        await openSearch.ping();
        events.push(`${name} ends`);
      });
    await Promise.all([work('a'), work('b'), work('c')]);
    expect(events).toHaveLength(6);
    for (let begun = 0; begun < 6; begun += 2) {
      expect(events[begun + 1]).toBe(events[begun]?.replace('begins', 'ends'));
    }
  });

  it('is not waited for longer than requested', async () => {
    await withLease(options('backfill'), async () => {
      const busy = withLease(options('rebuild', 200), async () => {});
      await expect(busy).rejects.toThrow(LeaseBusyError);
      await expect(busy).rejects.toMatchObject({ holder: 'backfill' });
    });
  });

  it('is held for as long as the work takes', async () => {
    await withLease(options('backfill', 60_000, 2_000), async (lease) => {
      const busy = withLease(options('rebuild', 2_500), async () => {});
      await expect(busy).rejects.toThrow(LeaseBusyError);
      lease.assertHeld();
    });
  });

  it('of a killed process expires', async () => {
    const document = { kind: 'lease', holder: 'gone', purpose: 'backfill', expires_ms: Date.now() + 500 };
    await openSearch.index({ index: SUMMARY_STATE_INDEX, id: 'lease', body: document });
    expect(await withLease(options('rebuild'), async () => Date.now())).toBeGreaterThanOrEqual(
      document.expires_ms,
    );
  });

  it('stops all writing once it is lost', async () => {
    let nowMs = Date.now();
    const lost = withLease({ ...options('backfill'), now: () => nowMs }, async (lease) => {
      nowMs += 70_000;
      lease.assertHeld();
    });
    await expect(lost).rejects.toMatchObject({ name: 'LeaseLostError' });
  });
});

describe('a writer that lost the lease while OpenSearch answered 429', () => {
  /** A client whose writes OpenSearch refuses until told otherwise; its leases cannot be renewed either. */
  function throttledClient() {
    const client = createOpenSearch(services.openSearch);
    const request = client.transport.request.bind(client.transport);
    let isThrottled = false;
    let refused = 0;
    client.transport.request = ((...given: Parameters<typeof request>) => {
      const [{ method, path }] = given;
      if (!isThrottled || (path !== '/_bulk' && method !== 'PUT')) return request(...given);
      refused += 1;
      return Promise.resolve({ statusCode: 429, body: Readable.from(['{"error":"too many requests"}']) });
    }) as typeof request;
    return { client, refused: () => refused, throttle: (on: boolean) => (isThrottled = on) };
  }

  const later = () => Date.now() + 120_000;

  const ledgerOf = (through: number): SeriesLedger => ({
    ...newLedger(BTC, SETTINGS.thresholds),
    through: iso(at(through)),
  });

  /** @param now for whoever comes when the lease of the others has run out */
  function withStore<T>(
    client: Client,
    work: (store: OpenSearchSummaries) => Promise<T>,
    now = Date.now,
  ): Promise<T> {
    const deadlineMs = Date.now() + 60_000;
    const waitUntilMs = now() + 60_000;
    return withLease({ client, purpose: 'summarise', waitUntilMs, ttlMs: 60_000, now }, (lease) => {
      const search = new OpenSearchSearch(client, deadlineMs);
      const bulk = new OpenSearchBulk(client);
      return work(new OpenSearchSummaries({ client, search, bulk, deadlineMs, lease }));
    });
  }

  it.each<[string, (store: OpenSearchSummaries, hour: number) => Promise<void>]>([
    ['a ledger', (store, hour) => store.writeLedgers([ledgerOf(hour)])],
    ['the marker', (store, hour) => store.setSummarisedUntil(at(hour))],
  ])('does not overwrite %s of the next writer, and says so', async (_, write) => {
    const { client, refused, throttle } = throttledClient();
    const other = createOpenSearch(services.openSearch);
    try {
      const slow = withStore(client, async (store) => {
        await write(store, 1);
        throttle(true);
        await write(store, 2);
      });
      const ended = slow.catch((error: unknown) => error);
      await until(() => refused() > 0);
      await withStore(other, (store) => write(store, 3), later);
      throttle(false);
      expect(await ended).toMatchObject({
        name: 'LeaseLostError',
        message: expect.stringMatching(/another process has written .* in summaries-state/),
      });
      await withStore(
        other,
        async (store) => {
          const ledger = (await store.ledgers([BTC])).get(formatSeries(BTC));
          expect(ledger?.through ?? iso((await store.summarisedUntil()) ?? 0)).toBe(iso(at(3)));
        },
        later,
      );
    } finally {
      await Promise.all([client.close(), other.close()]);
    }
  });
});
