import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Listing,
  type ListingLake,
  ListingWatch,
  listingsBetween,
} from '../../../../core/ingest/listings.ts';
import type { TickerBatch } from '../../../../core/ingest/ports.ts';
import { tickersKey } from '../../../../core/lake/ticker-objects.ts';
import { sampleTicker } from '../../../samples/tickers.ts';

const MARKET = { exchange: 'bybit', category: 'spot' } as const;
const SLOT_MS = Date.parse('2031-03-01T12:02:00.000Z');
const ADDRESS = { ...MARKET, slotMs: SLOT_MS };
const BEFORE_MS = SLOT_MS - 120_000;

const batchOf = (symbols: readonly string[], given: Partial<TickerBatch> = {}): TickerBatch => ({
  tickers: symbols.map((symbol) => sampleTicker({ symbol })),
  rejected: [],
  ...given,
});
const shown = (listings: readonly Listing[]) =>
  listings.map(({ symbol, event, reason }) => [event, symbol, ...(reason ? [reason] : [])]);
const between = (before: readonly string[], batch: TickerBatch) =>
  shown(listingsBetween(new Set(before), batch, ADDRESS));

describe('what came and went between two polls', () => {
  it('is a new market, one that the exchange says has ended, and one that it no longer names', () => {
    const absent = [{ symbol: 'B', kind: 'ended' as const, reason: 'its state is BREAK' }];
    expect(between(['A', 'B', 'C'], batchOf(['A', 'D'], { absent }))).toEqual([
      ['listed', 'D'],
      ['ended', 'B', 'its state is BREAK'],
      ['ended', 'C', 'the exchange no longer names it'],
    ]);
  });

  it('is not what an incomplete answer leaves out', () => {
    expect(between(['A', 'B', 'C', 'D'], batchOf(['A', 'B']))).toEqual([]);
    expect(between(['A', 'B'], batchOf(['A'], { expected: 2 }))).toEqual([]);
    expect(between(['A', 'B'], batchOf(['A'], { rejected: [{} as never] }))).toEqual([]);
  });

  it('is not a market that nobody traded for a day', () => {
    const absent = [{ symbol: 'B', kind: 'stale' as const, reason: 'its price is of yesterday' }];
    expect(between(['A', 'B'], batchOf(['A'], { absent }))).toEqual([]);
  });

  it('leads from the markets of one poll to those of the next', () => {
    const symbols = fc.uniqueArray(fc.constantFrom(...'ABCDEFGH'));
    fc.assert(
      fc.property(symbols, symbols, (before, now) => {
        const absent = before
          .filter((each) => !now.includes(each))
          .map((symbol) => ({ symbol, kind: 'ended' as const, reason: 'delisted' }));
        const live = new Set(before);
        for (const { symbol, event } of listingsBetween(live, batchOf(now, { absent }), ADDRESS)) {
          if (event === 'listed') live.add(symbol);
          else live.delete(symbol);
        }
        expect([...live].sort()).toEqual([...now].sort());
      }),
    );
  });
});

describe('noticing it', () => {
  function watch(before?: readonly string[]) {
    const kept: Listing[] = [];
    const reads: number[] = [];
    const lake: ListingLake & ConstructorParameters<typeof ListingWatch>[0] = {
      async readTickers(address) {
        reads.push(address.slotMs);
        const isThere = tickersKey(address) === tickersKey({ ...MARKET, slotMs: BEFORE_MS });
        return isThere ? before?.map((symbol) => JSON.stringify(sampleTicker({ symbol }))) : undefined;
      },
      async putListings(_, listings) {
        kept.push(...listings);
      },
    };
    const instance = new ListingWatch(lake);
    const notice = (symbols: readonly string[], slotMs = SLOT_MS, given: Partial<TickerBatch> = {}) =>
      instance.notice({ ...ADDRESS, slotMs }, batchOf(symbols, given), BEFORE_MS, SLOT_MS + 60_000);
    return { kept, reads, notice };
  }

  it('begins with what the lake has of the previous poll, and then remembers', async () => {
    const { kept, reads, notice } = watch(['A']);
    await notice(['A', 'B']);
    await notice(['A', 'B', 'C'], SLOT_MS + 120_000);
    expect(shown(kept)).toEqual([
      ['listed', 'B'],
      ['listed', 'C'],
    ]);
    expect(reads).toEqual([BEFORE_MS]);
  });

  it('takes the first poll of all for what there is, not for news', async () => {
    const { kept, notice } = watch();
    await notice(['A', 'B']);
    expect(kept).toEqual([]);
  });

  it('does not take a market for new that was only missing from an answer', async () => {
    const { kept, notice } = watch(['A', 'B', 'C']);
    await notice(['A'], SLOT_MS);
    await notice(['A', 'B', 'C'], SLOT_MS + 120_000);
    expect(kept).toEqual([]);
  });

  it('notes a market that comes back as listed again', async () => {
    const { kept, notice } = watch(['A', 'B']);
    await notice(['A'], SLOT_MS, { absent: [{ symbol: 'B', kind: 'ended', reason: 'its state is BREAK' }] });
    await notice(['A', 'B'], SLOT_MS + 120_000);
    expect(shown(kept)).toEqual([
      ['ended', 'B', 'its state is BREAK'],
      ['listed', 'B'],
    ]);
  });

  it('leaves an earlier slot alone', async () => {
    const { kept, notice } = watch(['A']);
    await notice(['A', 'B']);
    await notice(['A'], SLOT_MS - 60_000);
    expect(shown(kept)).toEqual([['listed', 'B']]);
  });
});
