import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../core/index/ports.ts';
import { OpenSearchTickers } from '../../stores/opensearch/tickers.ts';
import { emittedBy } from '../emf.ts';
import { startIndex, startSetup } from '../integration/lambdas/handlers.ts';
import { eventOfValues, keysOf, recordsOf } from '../integration/lambdas/stores.ts';
import { openSearch } from '../integration/services.ts';
import { nestedLists } from '../samples/nested-lists.ts';
import { sampleTicker, sampleTickers } from '../samples/tickers.ts';
import { counts, freshWorld, leaveWorld, type World } from './world.ts';

const SLOT = '2021-03-31T23:58:00.000Z';
/** The month before has an index when a test begins, this one does not. */
const NEXT_MONTH = '2021-04-01T00:00:00.000Z';
const [INDEX, NEXT_INDEX] = ['tickers-2021.03', 'tickers-2021.04'];

let world: World;
beforeEach(async () => {
  world = await freshWorld();
  await run([sampleTicker({ symbol: 'FIRST', slot: SLOT })]);
});
afterEach(leaveWorld);

const tickers = (slot: string) => sampleTickers(12, { slot });

async function run(values: Parameters<typeof eventOfValues>[0], remainingMs?: number) {
  const index = await startIndex({ bucket: world.bucket, partialBatchResponse: true });
  return index(eventOfValues(values), remainingMs);
}

/** Sets cluster settings; null is the default. */
const setCluster = (settings: Record<string, unknown>) =>
  openSearch.cluster.putSettings({ body: { persistent: settings } as object });
const setIndex = (index: string, settings: Record<string, unknown>) =>
  openSearch.indices.putSettings({ index, body: settings as object });

interface Fault {
  name: string;
  /** Of the tickers that it hits. */
  slot: string;
  cause: () => Promise<unknown>;
  repair: () => Promise<unknown>;
  /** What OpenSearch says. */
  reason: RegExp;
  /** The invocation's time. @default 3,000 */
  remainingMs?: number;
}

const FAULTS: Fault[] = [
  {
    name: 'a shard limit that leaves no room for the new month’s index',
    slot: NEXT_MONTH,
    cause: async () => {
      const { body } = await openSearch.cluster.health();
      await setCluster({ 'cluster.max_shards_per_node': body.active_shards });
    },
    repair: () => setCluster({ 'cluster.max_shards_per_node': null }),
    reason: /validation_exception/,
  },
  {
    name: 'a closed index',
    slot: SLOT,
    cause: () => openSearch.indices.close({ index: INDEX }),
    repair: () => openSearch.indices.open({ index: INDEX }),
    reason: /index_closed_exception/,
  },
  {
    name: 'an index with a write block',
    slot: SLOT,
    cause: () => setIndex(INDEX, { 'index.blocks.write': true }),
    repair: () => setIndex(INDEX, { 'index.blocks.write': false }),
    reason: /cluster_block_exception/,
  },
  {
    name: 'a full disk, which makes indices read-only',
    slot: SLOT,
    cause: () => setIndex(INDEX, { 'index.blocks.read_only_allow_delete': true }),
    repair: () => setIndex(INDEX, { 'index.blocks.read_only_allow_delete': null }),
    reason: /cluster_block_exception/,
  },
  {
    name: 'a read-only cluster',
    slot: SLOT,
    cause: () => setCluster({ 'cluster.blocks.read_only': true }),
    repair: () => setCluster({ 'cluster.blocks.read_only': null }),
    reason: /cluster_block_exception/,
  },
  {
    name: 'an index whose primary shard is nowhere',
    slot: NEXT_MONTH,
    cause: () =>
      openSearch.indices.create({
        index: NEXT_INDEX,
        wait_for_active_shards: '0',
        body: { settings: { 'index.routing.allocation.require._name': 'nobody' } } as object,
      }),
    repair: async () => {
      await setIndex(NEXT_INDEX, { 'index.routing.allocation.require._name': null });
      await openSearch.cluster.health({ index: NEXT_INDEX, wait_for_status: 'green', timeout: '30s' });
    },
    reason: /unavailable_shards_exception|NoAnswerInTimeError/,
    // OpenSearch waits for the shard for most of it, and the rest has to be enough for its answer on a busy machine.
    remainingMs: 12_000,
  },
  {
    name: 'no template, and indices that are not created by themselves',
    slot: NEXT_MONTH,
    cause: async () => {
      await openSearch.indices.deleteIndexTemplate({ name: 'crypto-market-insights-tickers' });
      await setCluster({ 'action.auto_create_index': '-tickers-*,+*' });
    },
    repair: async () => {
      await (await startSetup())();
      await setCluster({ 'action.auto_create_index': null });
    },
    reason: /index_not_found_exception/,
  },
  {
    name: 'an alias of two indices under the name of the new month’s index',
    slot: NEXT_MONTH,
    cause: async () => {
      await openSearch.indices.create({ index: 'tickers-a' });
      await openSearch.indices.create({ index: 'tickers-b' });
      const add = (index: string) => ({ add: { index, alias: NEXT_INDEX } });
      await openSearch.indices.updateAliases({ body: { actions: [add('tickers-a'), add('tickers-b')] } });
    },
    repair: () => openSearch.indices.delete({ index: 'tickers-a,tickers-b' }),
    reason: /illegal_argument_exception/,
  },
];

describe('an error about the index', () => {
  it.each(FAULTS)(
    'is retried like an outage: $name',
    async ({ slot, cause, repair, reason, remainingMs = 3_000 }) => {
      const hit = tickers(slot);
      const well = slot === SLOT ? [] : [sampleTicker({ symbol: 'WELL', slot: SLOT })];
      await cause();
      try {
        const failed = await run([...hit, ...well], remainingMs);
        expect(failed).toMatchObject({ indexed: well.length, deadLetters: 0 });
        expect(failed.batchItemFailures).toHaveLength(hit.length);
        const strict = await startIndex({ bucket: world.bucket });
        await expect(strict(eventOfValues(hit), 2_000)).rejects.toThrow(reason);
      } finally {
        await repair();
      }
      expect(await keysOf(world.bucket, 'dead-letters/')).toEqual([]);
      expect(await run([...hit, ...well])).toMatchObject({
        indexed: hit.length,
        alreadyThere: well.length,
        batchItemFailures: [],
      });
      expect(await counts(world)).toMatchObject({ documents: 1 + hit.length + well.length });
      expect(emittedBy('index').reduce((sum, { DeadLetters = 0 }) => sum + DeadLetters, 0)).toBe(0);
    },
  );
});

describe('an error that is the document’s own', () => {
  const json = (given: object = {}) => JSON.stringify(sampleTicker({ symbol: 'ODD', slot: SLOT, ...given }));
  /** With one more field, which a newer version may have added. */
  const withField = (name: string, value: string) => `${json().slice(0, -1)},"${name}":${value}}`;
  const inMapping = 'mapper_parsing_exception';

  /** What a valid ticker may contain. */
  const ODD_TICKERS: [name: string, source: string, reason: RegExp][] = [
    ['a field twice', withField('symbol', '"TWICE"'), /Duplicate field 'symbol'/],
    ['6,000 levels of lists', withField('note', nestedLists(6_000)), /depth of the nested array/],
    ['2,000 levels of objects', withField('note', `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`), /depth/],
    ['a number of 1,500 digits', withField('note', `0.${'1'.repeat(1_500)}`), /Number value length/],
    ['a field name of 60,000 characters', withField('n'.repeat(60_000), '1'), /Name length/],
    ['a field without a name', withField('', '1'), /empty string/],
    ['a field of OpenSearch’s own', withField('_id', '"x"'), /metadata field/],
    ['a field inside of a text', withField('symbol.note', '"x"'), /symbol/],
  ];

  it('makes the record a dead letter at once, and nothing else', async () => {
    const values = ODD_TICKERS.flatMap(([, odd], at) => [odd, JSON.stringify(tickers(SLOT)[at])]);
    expect(await run(values)).toMatchObject({
      indexed: ODD_TICKERS.length,
      deadLetters: ODD_TICKERS.length,
      batchItemFailures: [],
    });
    const letters = await recordsOf<DeadLetter>(world.bucket, 'dead-letters/');
    expect(letters.sort((a, b) => a.offset - b.offset)).toMatchObject(
      ODD_TICKERS.map(([, , reason]) => ({ error_type: inMapping, reason: expect.stringMatching(reason) })),
    );
    expect(emittedBy('index').at(-1)).toMatchObject({ DocumentsRetried: 0 });
  });

  it('is recognised where a type has several meanings', async () => {
    const documentOf = (id: string, given: object = {}) => ({ id, slot: SLOT, source: json(given) });
    const documents = [
      documentOf('a'),
      documentOf('x'.repeat(600)),
      documentOf('immense', { base: 'x'.repeat(40_000) }),
      documentOf('y'.repeat(600)),
      documentOf('object', { symbol: { name: 'A' } }),
      documentOf('b'),
    ];
    expect(await new OpenSearchTickers(openSearch).create(documents, Date.now() + 10_000)).toMatchObject([
      { kind: 'stored' },
      { kind: 'refused', errorType: 'action_request_validation_exception' },
      { kind: 'refused', errorType: 'illegal_argument_exception' },
      { kind: 'refused', errorType: 'action_request_validation_exception' },
      { kind: 'refused', errorType: inMapping },
      { kind: 'stored' },
    ]);
  });
});
