import type { Candle } from '../../../core/market/candle.ts';
import { candleId } from '../../../core/market/candle.ts';
import { type Move, moveId } from '../../../core/market/directional-change.ts';
import { tickerId } from '../../../core/market/ticker.ts';
import { candleOf } from '../../../stores/opensearch/candle-record.ts';
import { createOpenSearch } from '../../../stores/opensearch/client.ts';
import { OpenSearchTickers } from '../../../stores/opensearch/tickers.ts';
import { sampleTicker } from '../../samples/tickers.ts';
import type { MemoryTicks } from '../../unit/core/summarise/in-memory.ts';
import { openSearch, services } from '../services.ts';

/**
 * Puts ticks into the index, as the index function does.
 * @param now epoch ms; ticks that are old by then are recorded as late. @default none are
 */
export async function indexTicks(ticks: MemoryTicks, now = 0): Promise<void> {
  const client = createOpenSearch(services.openSearch);
  const tickers = ticks.all().flatMap(({ series, ticks: ofSeries }) =>
    ofSeries.map(({ slotMs, price }) => {
      const slot = new Date(slotMs).toISOString();
      return sampleTicker({ ...series, slot, timestamp: slot, received_at: slot, last_price: price });
    }),
  );
  try {
    await new OpenSearchTickers(client, { now: () => now }).create(
      tickers.map((ticker) => ({
        id: tickerId(ticker),
        slot: ticker.slot,
        source: JSON.stringify(ticker),
      })),
      Date.now() + 20_000,
    );
  } finally {
    await client.close();
  }
}

/** Every candle and move that the index holds, each under the id that it should have, in the order of the ids. */
export async function storedDocuments(): Promise<{ candles: Candle[]; moves: Move[] }> {
  return {
    candles: await documentsOf('candles-*', candleOf, candleId),
    moves: await documentsOf('moves*', (move: Move) => move, moveId),
  };
}

async function documentsOf<Record, T>(
  index: string,
  read: (record: Record) => T,
  idOf: (document: T) => string,
): Promise<T[]> {
  await openSearch.indices.refresh({ index, allow_no_indices: true });
  const found: { id: string; document: T }[] = [];
  for await (const { _id, _source } of allHits(index))
    found.push({ id: _id, document: read(_source as Record) });
  const misplaced = found.filter(({ id, document }) => id !== idOf(document));
  if (misplaced.length > 0) throw new Error(`${misplaced[0]?.id} is not the id of its document`);
  return found.sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ document }) => document);
}

async function* allHits(index: string) {
  let scrollId: string | undefined;
  for (;;) {
    const { body } = scrollId
      ? await openSearch.scroll({ body: { scroll_id: scrollId, scroll: '1m' } })
      : await openSearch.search({ index, allow_no_indices: true, scroll: '1m', size: 5_000 });
    scrollId = body._scroll_id;
    if (body.hits.hits.length === 0) break;
    yield* body.hits.hits as { _id: string; _source: unknown }[];
  }
  if (scrollId) await openSearch.clearScroll({ body: { scroll_id: [scrollId] } });
}
