import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packLines } from '../../core/lake/ndjson.ts';
import { tickersKey } from '../../core/lake/ticker-objects.ts';
import type { Ticker } from '../../core/market/ticker.ts';
import { MINUTE_MS } from '../../core/market/time.ts';
import { startIngest } from '../integration/lambdas/handlers.ts';
import { jsonOf, keysOf, producedText, readTopic } from '../integration/lambdas/stores.ts';
import { sampleTicker } from '../samples/tickers.ts';
import { type FaultyExchange, startFaultyExchange } from './faulty-exchange.ts';
import { freshWorld, leaveWorld, putObject, type World } from './world.ts';

const NOON_MS = Date.parse('2021-03-20T12:00:00.000Z');
/** Every two minutes; negative ones are before noon. */
const slot = (position: number) => new Date(NOON_MS + position * 2 * MINUTE_MS).toISOString();
const MARKER = 'state/exchange=bybit/category=spot.json';

let world: World;
let exchange: FaultyExchange;
beforeEach(async () => {
  [world, exchange] = await Promise.all([freshWorld(), startFaultyExchange()]);
});
afterEach(async () => {
  await leaveWorld();
  await exchange.close();
});

const ingest = () => startIngest({ source: { url: exchange.url, categories: ['spot'] }, ...world });

/** Puts one ticker for each of these slots before noon into the lake, as polls without Kafka did. */
async function fillLake(slots: number): Promise<void> {
  const positions = Array.from({ length: slots }, (_, index) => index - slots);
  const writers = Array.from({ length: 16 }, async () => {
    for (let position = positions.shift(); position !== undefined; position = positions.shift()) {
      const address = { exchange: 'bybit', category: 'spot', slotMs: Date.parse(slot(position)) } as const;
      const line = JSON.stringify(sampleTicker({ slot: slot(position) }));
      await putObject(world, tickersKey(address), await packLines([line]));
    }
  });
  await Promise.all(writers);
}

/** The slots on the topic, in its order, each once. */
const producedSlots = async () => [
  ...new Set(
    (await readTopic(world.topic)).map((record) => (JSON.parse(producedText(record)) as Ticker).slot),
  ),
];

describe('a lake with 5,000 slots that Kafka may never have seen', () => {
  it('without a marker: the poll produces its own slot and the last hour, and says what is left to replay', async () => {
    await fillLake(5_000);
    const report = await (await ingest())(slot(0));
    expect(report).toMatchObject({
      categories: [{ status: 'polled' }],
      backlogBatches: 30,
      waitingBatches: 0,
      leftToReplay: [
        expect.stringContaining(
          `npm run replay -- --exchange bybit --from ${slot(-5_000)} --to ${slot(-30)}`,
        ),
      ],
    });
    const produced = await producedSlots();
    expect(produced[0]).toBe(slot(0));
    expect(produced.slice(1)).toEqual(Array.from({ length: 30 }, (_, index) => slot(index - 30)));
    expect(await (await ingest())(slot(1))).not.toHaveProperty('leftToReplay');
  }, 180_000);

  it('behind the marker: each poll produces its own slot first, then as much of the backlog as it may', async () => {
    await fillLake(5_000);
    await putObject(world, MARKER, JSON.stringify({ v: 2, through: slot(-5_001), beyond: [] }));
    const poll = await ingest();
    const report = await poll(slot(0));
    expect(report.waitingBatches).toBe(5_000 - report.backlogBatches);
    expect(report.backlogBatches).toBeGreaterThan(0);
    await poll(slot(1));
    const produced = await producedSlots();
    expect(produced[0]).toBe(slot(0));
    expect(produced[report.backlogBatches + 1]).toBe(slot(1));
    expect(produced.slice(1, 1 + report.backlogBatches)).toEqual(
      Array.from({ length: report.backlogBatches }, (_, index) => slot(index - 5_000)),
    );
    expect(await jsonOf(world.bucket, MARKER)).toMatchObject({
      beyond: expect.arrayContaining([slot(0), slot(1)]),
    });
    expect(await keysOf(world.bucket, 'state/')).toEqual([MARKER]);
  }, 180_000);
});
