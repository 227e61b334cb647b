import type { TickerBatch } from '../../../core/ingest/ports.ts';
import type { Category } from '../../../core/market/series.ts';
import type { ExchangeAdapter } from '../../../exchanges/exchange-adapter.ts';
import { everyMarket, type MarketFilter } from '../../../exchanges/market-filter.ts';
import { SLOT } from '../../samples/tickers.ts';

export const RECEIVED_AT = '2026-03-01T12:00:00.456Z';

/** What an adapter makes of payloads, without any network: they are given by path, the query left out or not. */
export function tickersFrom(
  adapter: ExchangeAdapter,
  category: Category,
  payloads: Record<string, unknown>,
  { categories = [category], wants = everyMarket }: { categories?: Category[]; wants?: MarketFilter } = {},
): Promise<TickerBatch> {
  const ask: Parameters<ExchangeAdapter['tickers']>[0] = async ({ path }, shape) => {
    const payload = payloads[path] ?? payloads[path.replace(/\?.*/, '')];
    return { value: shape.parse(payload), url: `https://api.example${path}`, receivedAt: RECEIVED_AT };
  };
  return adapter.tickers(ask, { exchange: 'bybit', category, categories, slot: SLOT, wants });
}
