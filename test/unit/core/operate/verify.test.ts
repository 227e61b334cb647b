import { describe, expect, it } from 'vitest';
import { tickersKey } from '../../../../core/lake/ticker-objects.ts';
import { tickerId } from '../../../../core/market/ticker.ts';
import type { OperationServices } from '../../../../core/operate/operation.ts';
import { type VerifyOutput, verify } from '../../../../core/operate/verify.ts';
import { sampleTicker } from '../../../samples/tickers.ts';

const SLOT = '2031-03-01T12:00:00.000Z';
const slotMs = Date.parse(SLOT);
const market = { exchange: 'bybit', category: 'spot' } as const;
const ticker = sampleTicker({ ...market, symbol: 'A', slot: SLOT });
const key = tickersKey({ ...market, slotMs });

/** One ticker in the lake, which arrives in the index after a time; the clock starts at its slot and runs while verify sleeps. */
function world(batchingWindowMs: number, arrivesAfterMs: number) {
  let passedMs = 0;
  const isIndexed = () => passedMs >= arrivesAfterMs;
  const services = {
    lake: {
      folders: async (prefix: string) => {
        const rest = key.startsWith(prefix) ? key.slice(prefix.length) : '';
        return rest.includes('/') ? [`${prefix}${rest.slice(0, rest.indexOf('/') + 1)}`] : [];
      },
      async *keys(prefix: string, startAfter = '') {
        if (key.startsWith(prefix) && key > startAfter) yield key;
      },
      readLines: async () => [JSON.stringify(ticker)],
    },
    tickerIds: {
      refresh: async () => {},
      markets: async () => [],
      countStray: async () => 0,
      count: async () => (isIndexed() ? { total: 1, known: 1 } : { total: 0, known: 0 }),
      async *tickers() {
        if (isIndexed()) yield { id: tickerId(ticker), symbol: 'A', slotMs };
      },
    },
    batchingWindowMs,
    now: () => slotMs + passedMs,
    sleep: async (ms: number) => {
      passedMs += ms;
    },
  } as unknown as OperationServices;
  const run = async (sliceMs: number) => {
    const outputs: VerifyOutput[] = [];
    let cursor: unknown;
    do {
      const slice = await verify.slice({}, cursor, services, { deadlineMs: slotMs + passedMs + sliceMs });
      outputs.push(slice.output);
      cursor = slice.cursor === undefined ? undefined : JSON.parse(JSON.stringify(slice.cursor));
    } while (cursor !== undefined);
    return { outputs, differences: outputs.flatMap(({ differences }) => differences), tookMs: passedMs };
  };
  return run;
}

describe('verify, while the event source collects a batch', () => {
  it('waits for the batching window, in slices that stay short', async () => {
    const { outputs, differences } = await world(300_000, 305_000)(20_000);
    expect(differences).toEqual([]);
    expect(outputs.length).toBeGreaterThan(10);
    expect(outputs.reduce((sum, { lakeIds }) => sum + lakeIds, 0)).toBe(1);
  });

  it('reports what is missing after it', async () => {
    const { differences, tookMs } = await world(300_000, Number.POSITIVE_INFINITY)(20_000);
    expect(differences).toMatchObject([{ symbol: 'A', missing: 1, examples: [tickerId(ticker)] }]);
    expect(tookMs).toBeGreaterThanOrEqual(300_000);
    expect(tookMs).toBeLessThan(320_000);
  });

  it('does not wait long without one', async () => {
    expect((await world(0, Number.POSITIVE_INFINITY)(20_000)).tookMs).toBeLessThan(5_000);
  });
});
