import { describe, expect, it } from 'vitest';
import { type CandleObject, candleObjectKey } from '../../../../core/lake/candle-objects.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';
import type { OperationServices } from '../../../../core/operate/operation.ts';
import { rebuild } from '../../../../core/operate/rebuild.ts';
import { SILENT_LOG } from '../../../samples/tickers.ts';
import { BTC, MemoryStore, SETTINGS, START_MS } from '../summarise/in-memory.ts';

const HOURS = 4;
const END = new Date(START_MS + HOURS * HOUR_MS).toISOString();

/** A lake with one object of recorded candles for each hour, written in their order. */
function world() {
  const store = new MemoryStore();
  const objects = Array.from({ length: HOURS }, (_, hour) => {
    const startMs = START_MS + hour * HOUR_MS;
    const object: CandleObject = { ...BTC, hours: 1, firstMs: startMs, lastMs: startMs, format: 'rows' };
    return { object, writtenMs: hour };
  });
  /** Of the objects that have another content, by their start. */
  const contents = new Map<number, string>();
  /** Of the next slice. */
  let timeFor = 0;
  const services = {
    candleHistory: {
      list: async () => objects.toSorted((a, b) => a.writtenMs - b.writtenMs),
      read: async ({ firstMs }: CandleObject) => contents.get(firstMs) ?? `[${firstMs},100,101,99,100,1]\n`,
    },
    lake: { folders: async () => [] },
    exchangeCandles: {
      pairOf: () => ({}),
      parse: (format: string) => {
        throw new Error(`no exchange writes ${format}`);
      },
    },
    summaries: SETTINGS,
    summaryLease: {
      hold: async (_: unknown, work: (stores: object) => unknown) => ({
        kind: 'done',
        result: await work({ store }),
      }),
    },
    log: SILENT_LOG,
    now: () => (timeFor-- > 0 ? 0 : 1),
    sleep: async () => {},
  } as unknown as OperationServices;
  const slice = (cursor: unknown, parts: number) => {
    timeFor = parts;
    return rebuild.slice({ to: END }, cursor, services, { deadlineMs: 1 });
  };
  return { store, objects, contents, slice };
}

describe('rebuild', () => {
  it('makes every recorded candle, even if an object is written again between two slices', async () => {
    const { store, objects, slice } = world();
    const { cursor } = await slice(undefined, 3);
    expect(store.candles.size).toBe(2);
    const [first] = objects;
    if (first) first.writtenMs = HOURS;
    expect((await slice(JSON.parse(JSON.stringify(cursor)), 1_000)).cursor).toBeUndefined();
    expect([...store.candles.values()].map(({ startMs }) => (startMs - START_MS) / HOUR_MS).sort()).toEqual([
      0, 1, 2, 3,
    ]);
    expect(new Set(objects.map(({ object }) => candleObjectKey(object))).size).toBe(HOURS);
  });

  it('reports objects that are not candles, and makes the candles of all others', async () => {
    const { store, objects, contents, slice } = world();
    contents.set(START_MS, 'no candles');
    contents.set(START_MS + HOUR_MS, `{"v":${'['.repeat(50_000)}${']'.repeat(50_000)}}`);
    const [, , third] = objects;
    if (third) third.object.format = 'forgotten';
    const { cursor, output } = await slice(undefined, 1_000);
    expect(cursor).toBeUndefined();
    expect(output.problems).toEqual([
      expect.stringContaining('cannot be read'),
      expect.stringContaining('cannot be read'),
      expect.stringMatching(/forgotten.* cannot be read: no exchange writes forgotten/),
    ]);
    for (const problem of output.problems) expect(problem.length).toBeLessThanOrEqual(500);
    expect([...store.candles.values()].map(({ startMs }) => startMs)).toEqual([START_MS + 3 * HOUR_MS]);
  });
});
