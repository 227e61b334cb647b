import { describe, expect, it } from 'vitest';
import { Freshness } from '../../../../stores/opensearch/freshness.ts';

function world() {
  const refreshed: string[] = [];
  let fails = false;
  const freshness = new Freshness(async (index) => {
    refreshed.push(index);
    if (fails) throw new Error('OpenSearch is away');
  });
  return { freshness, refreshed, fail: (on: boolean) => (fails = on) };
}

describe('freshness', () => {
  it('refreshes an index before the first read, and then only after a write', async () => {
    const { freshness, refreshed } = world();
    await freshness.ensure('candles');
    await freshness.ensure('candles', 'bybit:spot');
    expect(refreshed).toEqual(['candles']);
    freshness.written('candles');
    await freshness.ensure('candles');
    await freshness.ensure('candles');
    expect(refreshed).toEqual(['candles', 'candles']);
  });

  it('leaves the readers of one part alone when another is written', async () => {
    const { freshness, refreshed } = world();
    await freshness.ensure('candles', 'bybit:spot');
    freshness.written('candles', ['bybit:linear']);
    await freshness.ensure('candles', 'bybit:spot');
    expect(refreshed).toHaveLength(1);
    await freshness.ensure('candles', 'bybit:linear');
    await freshness.ensure('candles');
    expect(refreshed).toHaveLength(2);
  });

  it('refreshes again what was written during a refresh', async () => {
    const { freshness, refreshed } = world();
    const reading = freshness.ensure('candles');
    freshness.written('candles', ['bybit:spot']);
    await reading;
    await freshness.ensure('candles', 'bybit:spot');
    expect(refreshed).toHaveLength(2);
  });

  it('tries again after a refresh that failed', async () => {
    const { freshness, refreshed, fail } = world();
    fail(true);
    await expect(freshness.ensure('candles')).rejects.toThrow('OpenSearch is away');
    fail(false);
    await freshness.ensure('candles');
    expect(refreshed).toHaveLength(2);
  });
});
