import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mergeSlices } from '../../cli/operation.ts';
import type { CompactOutput } from '../../core/columns/compact.ts';
import { type Manifest, manifestSchema } from '../../core/columns/manifest.ts';
import { columnKey, manifestKey } from '../../core/columns/objects.ts';
import { packLines } from '../../core/lake/ndjson.ts';
import { tickersKey } from '../../core/lake/ticker-objects.ts';
import { emittedBy, forgetMetrics } from '../emf.ts';
import { startCompact } from '../integration/lambdas/handlers.ts';
import { bytesOf, jsonOf, keysOf } from '../integration/lambdas/stores.ts';
import { freshBucket } from '../integration/services.ts';
import { sampleTicker } from '../samples/tickers.ts';
import { putObject } from './world.ts';

const MARKET = { exchange: 'bybit', category: 'spot' } as const;
const NOW = '2021-03-03T00:01:00.000Z';
const DAYS = ['2021-03-01', '2021-03-02'] as const;
const fileOf = (period: string) => ({ table: 'tickers', ...MARKET, period }) as const;

let bucket: string;
beforeEach(async () => {
  bucket = await freshBucket();
  forgetMetrics();
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const addressOf = (slot: string) => ({ ...MARKET, slotMs: Date.parse(slot) });

async function putBatch(
  slot: string,
  symbols: readonly string[],
  more: readonly string[] = [],
): Promise<string> {
  const lines = symbols.map((symbol) => JSON.stringify(sampleTicker({ symbol, slot })));
  const key = tickersKey(addressOf(slot));
  await putObject({ bucket, topic: '' }, key, await packLines([...lines, ...more]));
  return key;
}

/** Two days of two polls, and one poll of a day that is not over. */
async function putDays(): Promise<void> {
  for (const day of DAYS) {
    await putBatch(`${day}T00:00:00.000Z`, ['BTCUSDT', 'ETHUSDT']);
    await putBatch(`${day}T23:58:00.000Z`, ['BTCUSDT']);
  }
  await putBatch('2021-03-03T00:00:00.000Z', ['BTCUSDT']);
}

async function manifestOf(period: string): Promise<Manifest> {
  return manifestSchema.parse(await jsonOf(bucket, manifestKey(fileOf(period))));
}

/** Every Parquet file and manifest, by what it contains. */
async function columns(): Promise<Record<string, string>> {
  const keys = await keysOf(bucket, 'columns/');
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const entries = keys.map(async (key) => [key, sha256(await bytesOf(bucket, key))] as const);
  return Object.fromEntries(await Promise.all(entries));
}

const allOf = async (outputs: Promise<CompactOutput[]>) => mergeSlices(await outputs);

describe('compacting', () => {
  it('makes a file and a manifest of each day that is over, once', async () => {
    await putDays();
    const { scheduled, command } = await startCompact({ bucket });
    expect(await scheduled(NOW)).toMatchObject({ due: 2, written: 2, rows: 6, failed: 0, problems: [] });
    const made = await columns();
    expect(Object.keys(made)).toEqual(
      [
        ...DAYS.map((day) => manifestKey(fileOf(day))),
        ...DAYS.map((day) => columnKey(fileOf(day))),
      ].toSorted(),
    );
    const manifest = await manifestOf(DAYS[0]);
    expect(manifest).toMatchObject({
      rows: 3,
      first: `${DAYS[0]}T00:00:00.000Z`,
      last: `${DAYS[0]}T23:58:00.000Z`,
      symbols: { BTCUSDT: 2, ETHUSDT: 1 },
      skipped: 0,
      sha256: made[columnKey(fileOf(DAYS[0]))],
    });
    expect(await scheduled(NOW)).toMatchObject({ due: 0, written: 0, upToDate: 2 });
    expect(await allOf(command({ now: NOW }, 1))).toMatchObject({ due: 0, written: 0, upToDate: 2 });
    expect(await columns()).toEqual(made);
    expect(emittedBy('compact')).toMatchObject([
      { FilesWritten: 2, FilesDue: 0, FilesFailed: 0, LinesSkipped: 0 },
      { FilesWritten: 0, FilesDue: 0, FilesFailed: 0, LinesSkipped: 0 },
    ]);
  });
});
