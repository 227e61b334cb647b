import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OLDER_TEMPLATE } from '../../bench/older-template.ts';
import { type Ticker, tickerId } from '../../core/market/ticker.ts';
import type { Check } from '../../core/operate/doctor/check.ts';
import type { ReindexOutput } from '../../core/operate/reindex.ts';
import { startOperate, startSetup } from '../integration/lambdas/handlers.ts';
import { openSearch } from '../integration/services.ts';
import { fullTicker } from '../samples/tickers.ts';
import { agreementOn, fillLake, freshWorld, indexTickers, leaveWorld, verdict, type World } from './world.ts';

const OLDER = '2021-03-31T23:58:00.000Z';
const NEWER = '2021-04-01T00:00:00.000Z';
const SYMBOLS = ['A', 'B', 'C'];

let world: World;
beforeEach(async () => {
  world = await freshWorld();
});
afterEach(async () => {
  await (await startSetup())();
  await leaveWorld();
});

const tickersOf = (slot: string, price: number): Ticker[] =>
  SYMBOLS.map((symbol, at) => fullTicker({ symbol, slot, price_24h_pcnt: 0.01 * at, bid_price: price }));

async function poll(tickers: readonly Ticker[]): Promise<void> {
  await fillLake(world, tickers);
  await indexTickers(world, tickers);
}

/** A month with the older mapping, then an upgrade, then a month with the current one. */
async function upgrade(): Promise<Ticker[]> {
  const [before, after] = [tickersOf(OLDER, 1.5), tickersOf(NEWER, 2.5)];
  await openSearch.indices.putIndexTemplate({
    name: 'crypto-market-insights-tickers',
    body: OLDER_TEMPLATE as object,
  });
  await poll(before);
  await (await startSetup())();
  await poll(after);
  return [...before, ...after];
}

const ask = async (body: object) =>
  (await openSearch.search({ index: 'tickers', body: body as object })).body;

async function documents(): Promise<Record<string, unknown>> {
  const { hits } = await ask({ size: 100, query: { match_all: {} } });
  return Object.fromEntries(hits.hits.map(({ _id, _source }) => [_id, _source]));
}

async function columnsCheck(): Promise<Check | undefined> {
  const [checks = []] = await (await startOperate(world))<Check[]>('doctor');
  return checks.find(({ name }) => name === 'columns');
}

const reindex = async (input: object = {}, sliceMs?: number) =>
  (await startOperate(world))<ReindexOutput>('reindex', input, sliceMs);

describe('an index with an older mapping', () => {
  it('is read together with the others, and takes tickers', async () => {
    const all = await upgrade();
    await indexTickers(world, [fullTicker({ symbol: 'LATE', slot: OLDER })]);
    const found = await documents();
    expect(found).toMatchObject(Object.fromEntries(all.map((ticker) => [tickerId(ticker), ticker])));
    const { aggregations } = await ask({
      size: 0,
      aggs: {
        by_symbol: {
          terms: { field: 'symbol.keyword' },
          aggs: { volatility: { percentiles: { field: 'price_24h_pcnt', percents: [50] } } },
        },
      },
    });
    const { buckets } = (
      aggregations as unknown as { by_symbol: { buckets: { key: string; doc_count: number }[] } }
    ).by_symbol;
    expect(buckets.map(({ key, doc_count }) => [key, doc_count])).toEqual([
      ['A', 2],
      ['B', 2],
      ['C', 2],
      ['LATE', 1],
    ]);
  });

  it('is named by doctor, and rebuilt from the lake by reindex', async () => {
    const all = await upgrade();
    expect(await columnsCheck()).toMatchObject({
      status: 'warn',
      finding: expect.stringMatching(/^the tickers of 2021\.03 are/),
    });
    const slices = await reindex({}, 1);
    expect(slices.flatMap(({ months }) => months)).toEqual(['2021.03']);
    expect(slices.reduce((sum, { indexed }) => sum + indexed, 0)).toBe(3);
    await openSearch.indices.refresh({ index: 'tickers-*' });
    expect(await columnsCheck()).toMatchObject({ status: 'ok' });
    expect(await documents()).toEqual(Object.fromEntries(all.map((ticker) => [tickerId(ticker), ticker])));
    const { aggregations } = await ask({ size: 0, aggs: { spread: { sum: { field: 'bid_price' } } } });
    expect(aggregations).toEqual({ spread: { value: 3 * 1.5 + 3 * 2.5 } });
    expect(await verdict(world)).toEqual(agreementOn(6));
    expect(await reindex()).toMatchObject([{ months: [], indexed: 0 }]);
  });

  it('stays as it is if the lake lacks some of it', async () => {
    await upgrade();
    await indexTickers(world, [fullTicker({ symbol: 'EXTRA', slot: OLDER })]);
    await expect(reindex()).rejects.toThrow(
      /that the lake lacks, such as bybit:spot:EXTRA:\d+: they would be lost/,
    );
    expect(Object.keys(await documents())).toHaveLength(7);
  });
});
