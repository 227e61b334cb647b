import { describe, expect, it } from 'vitest';
import { tickersKey } from '../../../../core/lake/ticker-objects.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';
import { LakeTicks } from '../../../../core/operate/lake-ticks.ts';
import type { LakeObjects } from '../../../../core/operate/ports.ts';
import { SLOT, SLOT_MS, sampleTicker } from '../../../samples/tickers.ts';

describe('the ticks in the lake', () => {
  it('leave out every line that is not a ticker of its batch, and say so', async () => {
    const key = tickersKey({ exchange: 'bybit', category: 'spot', slotMs: SLOT_MS });
    const deep = '['.repeat(50_000) + ']'.repeat(50_000);
    const lines = [
      `{"v":${deep}}`,
      JSON.stringify(sampleTicker()),
      JSON.stringify(sampleTicker({ slot: '0001-01-01T00:00:00.000Z' })),
      JSON.stringify(sampleTicker({ exchange: 'kraken' })),
    ];
    const lake = {
      folders: async (prefix: string) =>
        prefix === 'tickers/' ? ['tickers/exchange=bybit/'] : ['tickers/exchange=bybit/category=spot/'],
      async *keys() {
        yield key;
      },
      readLines: async () => lines,
    } as unknown as LakeObjects;
    const ticks = new LakeTicks(lake);
    const hourMs = Math.floor(SLOT_MS / HOUR_MS) * HOUR_MS;
    const [market, ...otherMarkets] = await ticks.marketsOf();
    expect([market, otherMarkets]).toEqual([{ exchange: 'bybit', category: 'spot' }, []]);
    const [ofSeries, ...others] = await ticks.ticksOf(hourMs, { exchange: 'bybit', category: 'spot' });
    expect(ofSeries?.ticks).toEqual([{ slotMs: Date.parse(SLOT), price: sampleTicker().last_price }]);
    expect(others).toEqual([]);
    expect(ticks.problems).toEqual([
      expect.stringMatching(/line 1: v: /),
      expect.stringMatching(/line 3: a ticker of another batch, bybit:spot:BTCUSDT:-/),
      expect.stringMatching(/line 4: a ticker of another batch, kraken:/),
    ]);
  });
});
