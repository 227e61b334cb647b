import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { METRIC_GROUPS, type MetricGroup } from '../../../core/runtime/metrics.ts';
import { emissions, emittedBy, forgetMetrics, STAGE } from '../../emf.ts';
import { clearSummaries, clearTickers, freshBucket, freshTopic, openSearch, s3 } from '../services.ts';
import { startIndex, startIngest, startSetup, startSummarise, startWatch } from './handlers.ts';
import { deadAddress, startFakeBybit } from './local-servers.ts';
import { eventOfValues, linesOf } from './stores.ts';

/** In two months, so in two indices. */
const SLOTS = ['2021-03-31T23:30:00.000Z', '2021-04-01T00:10:00.000Z'] as const;
const NOW = '2021-04-01T01:12:00.000Z';

beforeAll(async () => {
  await (await startSetup())();
});
beforeEach(async () => {
  await Promise.all([clearTickers(), clearSummaries()]);
  forgetMetrics();
});
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(async () => {
  await Promise.all([clearTickers(), clearSummaries()]);
  await openSearch.close();
});

const namesOf = (group: MetricGroup) => Object.keys(METRIC_GROUPS[group].metrics);

/** Polls both slots and has them indexed and searchable. @returns bytes that the lake holds then */
async function collect(): Promise<number> {
  const [bybit, bucket, topic] = await Promise.all([startFakeBybit(), freshBucket(), freshTopic(1)]);
  const source = { url: bybit.url, categories: ['linear', 'spot'] };
  const ingest = await startIngest({ source, bucket, topic });
  for (const slot of SLOTS) await ingest(slot);
  await bybit.close();
  await (await startIndex({ bucket }))(eventOfValues(await linesOf(bucket, 'tickers/')));
  await openSearch.indices.refresh({ index: 'tickers-*' });
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'tickers/' }));
  return Contents.reduce((sum, { Size = 0 }) => sum + Size, 0);
}

describe('what the functions emit while they work', () => {
  it('is all of their metrics, under the names and dimensions that the alarms ask for', async () => {
    const lakeBytes = await collect();
    const watch = await startWatch(['bybit', 'kraken']);
    await watch(NOW);
    await (await startSummarise())(NOW);
    await watch(NOW);

    const emitted = emissions().map(({ group, dimensions, values }) => ({
      group,
      dimensions,
      names: Object.keys(values).toSorted(),
    }));
    const one = (group: MetricGroup, own: Record<string, string> = {}) => ({
      group,
      dimensions: { service: group, stage: STAGE, ...own },
      names: namesOf(group).toSorted(),
    });
    const poll = one('ingest', { source: 'bybit' });
    const watched = [
      // Both of its categories are an hour old, and Kraken has no ticker at all.
      one('freshness', { exchange: 'bybit' }),
      one('freshness', { exchange: 'kraken' }),
      one('watch'),
    ];
    expect(emitted).toEqual([poll, poll, one('index'), ...watched, one('summarise'), ...watched]);

    const polls = emittedBy('ingest');
    expect(polls).toMatchObject(
      SLOTS.map(() => ({ PollsSucceeded: 1, TickersFetched: 2, RecordsProduced: 2 })),
    );
    expect(polls.reduce((sum, { LakeBytes = 0 }) => sum + LakeBytes, 0)).toBe(lakeBytes);
    expect(emittedBy('index')).toMatchObject([{ RecordsReceived: 4, DocumentsIndexed: 4 }]);
    expect(emittedBy('summarise')).toMatchObject([{ HoursSummarised: 2, CandlesWritten: 4 }]);
    const stale = [{ StaleCategories: 2 }, { StaleCategories: 1 }];
    expect(emittedBy('freshness')).toEqual([...stale, ...stale]);
    const look = { Looks: 1, OldestTickerAge: 62 * 60 };
    expect(emittedBy('watch')).toEqual([
      { ...look, SummariesHoursBehind: 2 },
      { ...look, SummariesHoursBehind: 0 },
    ]);
  });
});

describe('watch', () => {
  it('finds nothing in an index where nothing is yet, which is no failure', async () => {
    expect(await (await startWatch(['bybit']))(NOW)).toEqual({
      newest: [],
      stale: { bybit: 2 },
      hoursBehind: 0,
    });
    expect(emissions().map(({ group, values }) => [group, values])).toEqual([
      ['freshness', { StaleCategories: 2 }],
      ['watch', { Looks: 1, SummariesHoursBehind: 0 }],
    ]);
  });

  it('throws, and emits nothing, where OpenSearch cannot be asked', async () => {
    const watch = await startWatch(['bybit'], `http://${await deadAddress()}`);
    await expect(watch(NOW, 1_000)).rejects.toThrow(/ECONNREFUSED/);
    expect(emissions()).toEqual([]);
  });

  it('says which part of its environment is wrong', async () => {
    await expect(startWatch([])).rejects.toThrow(/EXCHANGES/);
  });
});

describe('a summarise that cannot work', () => {
  it('reports that it did nothing', async () => {
    const summarise = await startSummarise({ OPENSEARCH_URL: `http://${await deadAddress()}` });
    await expect(summarise(NOW, 1_000)).rejects.toThrow(/ECONNREFUSED/);
    const nothing = Object.fromEntries(namesOf('summarise').map((name) => [name, 0]));
    expect(emittedBy('summarise')).toEqual([nothing]);
  });
});
