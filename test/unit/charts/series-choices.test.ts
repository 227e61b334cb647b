import { describe, expect, it, vi } from 'vitest';
import type { ReportStore } from '../../../charts/report-store.ts';
import { choicesFor, rememberedChoices, seriesChoices } from '../../../charts/series-choices.ts';

const NOW_MS = Date.parse('2026-01-08T00:00:00Z');
const SYMBOLS = Array.from({ length: 12_000 }, (_, index) => `COIN${index}USDT`);

/** Answers as OpenSearch does: hits come in pages. */
const store: ReportStore = {
  insights: {} as ReportStore['insights'],
  samplingIntervals: {},
  async search(_, body) {
    const { size, search_after: [, , after] = [] } = body as { size: number; search_after?: string[] };
    const from = after === undefined ? 0 : 1 + SYMBOLS.indexOf(after);
    const hits = SYMBOLS.slice(from, from + size).map((symbol) => ({
      fields: {
        ...{ exchange: ['bybit'], category: ['spot'], symbol: [symbol] },
        ...{ base: [symbol.slice(0, -4)], quote: ['USDT'] },
        ...{ last_price: [1], turnover_24h: [Number(/\d+/.exec(symbol)?.[0])] },
      },
      sort: ['bybit', 'spot', symbol],
    }));
    const category = { key: 'spot', newest: { value: NOW_MS } };
    const exchanges = { buckets: [{ key: 'bybit', categories: { buckets: [category] } }] };
    const key = (exchange: string, symbol: string) => ({ key: { exchange, category: 'spot', symbol } });
    const all = {
      buckets: [key('archive', 'COIN0USDT'), key('archive', 'OLDUSDT'), key('bybit', 'OLDUSDT')],
    };
    return { hits: { hits }, aggregations: { exchanges, all } };
  },
};

describe('the series that can be picked', () => {
  it('are all that have a tick or a candle: by turnover, then the others, then the archive', async () => {
    const choices = await seriesChoices(store, NOW_MS);
    expect(choices).toHaveLength(12_003);
    expect(choices[0]).toEqual({ series: 'bybit:spot:COIN11999USDT', base: 'COIN11999' });
    expect(choices.slice(-3).map(({ series }) => series)).toEqual([
      'bybit:spot:OLDUSDT',
      'archive:spot:COIN0USDT',
      'archive:spot:OLDUSDT',
    ]);
  });

  it('are searched by words of their names, whatever the order and the case', async () => {
    const choices = await seriesChoices(store, NOW_MS);
    const named = (search: string) =>
      choicesFor(choices, search, undefined).choices.map(({ series }) => series);
    expect(named('spot coin4711')).toEqual(['bybit:spot:COIN4711USDT']);
    expect(named('OLDUSDT · archive spot')).toEqual(['archive:spot:OLDUSDT']);
    expect(choicesFor(choices, '', 'bybit:spot:OLDUSDT')).toMatchObject({
      total: 12_003,
      isPickedKnown: true,
    });
    expect(choicesFor(choices, '', undefined).choices).toHaveLength(50);
    expect(choicesFor(choices, 'nothing', 'a:spot:b')).toEqual({
      choices: [],
      total: 0,
      isPickedKnown: false,
    });
  });

  it('are remembered for a minute, unless there are none or they could not be read', async () => {
    const read = vi.fn<(asOfMs: number) => Promise<{ series: string }[]>>();
    const choices = rememberedChoices(read);
    read
      .mockRejectedValueOnce(new Error('gone'))
      .mockResolvedValueOnce([])
      .mockResolvedValue([{ series: 'a:spot:b' }]);
    await expect(choices(NOW_MS)).rejects.toThrow('gone');
    expect(await choices(NOW_MS)).toEqual([]);
    expect(await choices(NOW_MS)).toHaveLength(1);
    expect(await choices(NOW_MS + 60_000)).toHaveLength(1);
    expect(read).toHaveBeenCalledTimes(3);
    await choices(NOW_MS + 60_001);
    expect(read).toHaveBeenCalledTimes(4);
  });
});
