import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../core/index/ports.ts';
import { emittedBy } from '../emf.ts';
import { startIndex } from '../integration/lambdas/handlers.ts';
import { eventOf, readTopic, recordsOf } from '../integration/lambdas/stores.ts';
import { kafka, openSearch } from '../integration/services.ts';
import { nestedLists } from '../samples/nested-lists.ts';
import { sampleTicker } from '../samples/tickers.ts';
import { counts, freshWorld, leaveWorld, type World } from './world.ts';

const SLOT = '2021-03-01T12:00:00.000Z';
const good = (symbol: string) => JSON.stringify(sampleTicker({ symbol, slot: SLOT }));
/** A valid ticker with one more field, on two lines. */
const withNote = (note: string) => `${good('NOTE').slice(0, -1)},\n"note":${note}}`;

let world: World;
beforeEach(async () => {
  world = await freshWorld();
});
afterEach(leaveWorld);

/** Produces the values to one partition and has the index function handle everything after the offset. */
async function indexed(values: readonly (string | Buffer)[], fromOffset = 0) {
  const producer = kafka.producer();
  await producer.connect();
  try {
    await producer.send({ topic: world.topic, messages: values.map((value) => ({ value, partition: 0 })) });
  } finally {
    await producer.disconnect();
  }
  const event = eventOf(await readTopic(world.topic));
  for (const [partition, records] of Object.entries(event.records)) {
    event.records[partition] = records.filter(({ offset }) => offset >= fromOffset);
  }
  return (await startIndex({ bucket: world.bucket }))(event, 30_000);
}

async function letters(): Promise<DeadLetter[]> {
  const all = await recordsOf<DeadLetter>(world.bucket, 'dead-letters/');
  return all.sort((a, b) => a.offset - b.offset);
}

describe('a record that would break its reader', () => {
  it('becomes a dead letter, and its partition continues', async () => {
    const poison = [
      `{"v":${nestedLists(50_000)}}`,
      withNote(nestedLists(50_000)),
      withNote(`{"a":${nestedLists(6_000)}}`),
    ];
    expect(await indexed([good('A'), ...poison, good('B')])).toMatchObject({ indexed: 2, deadLetters: 3 });
    expect(await indexed([good('C'), good('D')], 5)).toMatchObject({ indexed: 2, deadLetters: 0 });
    expect(await letters()).toMatchObject([
      { offset: 1, error_type: 'poison' },
      { offset: 2 },
      { offset: 3 },
    ]);
    for (const { reason } of await letters()) expect(reason.length).toBeLessThanOrEqual(500);
    expect(await counts(world)).toMatchObject({ documents: 4 });
    expect(emittedBy('index')).toMatchObject([
      { DeadLetters: 3, DocumentsRetried: 0, RecordsUnstored: 0 },
      { DeadLetters: 0, DocumentsRetried: 0, RecordsUnstored: 0 },
    ]);
  });

  it('makes no index of its own and no id that OpenSearch refuses', async () => {
    const years = Array.from({ length: 300 }, (_, year) => `${9_999 - year}-01-01T00:00:00.000Z`);
    const forged = [
      ...['2008-12-31T23:59:59.999Z', ...years].map((slot) => JSON.stringify(sampleTicker({ slot }))),
      ...['x'.repeat(600), 'UPPER', 'a/b'].map((exchange) => JSON.stringify(sampleTicker({ exchange }))),
      JSON.stringify(sampleTicker({ symbol: 'x'.repeat(600) })),
    ];
    const widest = sampleTicker({ exchange: 'x'.repeat(40), symbol: '𐀀'.repeat(100), slot: SLOT });
    expect(await indexed([JSON.stringify(widest), ...forged])).toMatchObject({
      indexed: 1,
      deadLetters: forged.length,
    });
    const { body } = await openSearch.indices.get({ index: 'tickers-*' });
    expect(Object.keys(body)).toEqual(['tickers-2021.03']);
    const all = await letters();
    expect(new Set(all.map(({ error_type }) => error_type))).toEqual(new Set(['poison']));
    expect(all.map(({ reason }) => reason)).toContainEqual(
      expect.stringMatching(/^slot: expected a time from 2009-01-01T00:00:00.000Z to .*, got 9999-01-01/),
    );
  });
});
