import type { TickerBatch } from '../../../core/ingest/ports.ts';
import { SourceRefusedError } from '../../../core/ingest/source-errors.ts';
import type { Category } from '../../../core/market/series.ts';
import type { TickerApi } from '../../../exchanges/exchange.ts';
import type { MarketFilter } from '../../../exchanges/payload/market-filter.ts';
import { SLOT } from '../../samples/tickers.ts';

export const RECEIVED_AT = '2026-03-01T12:00:00.456Z';

/** Reads payloads without a network; they are given by path, with or without the query. */
export function tickersFrom(
  api: TickerApi,
  category: Category,
  payloads: Record<string, unknown>,
  { categories = [category], wants = () => true }: { categories?: Category[]; wants?: MarketFilter } = {},
): Promise<TickerBatch> {
  const ask: Parameters<TickerApi['tickers']>[0] = async ({ path }, shape) => {
    const payload = payloads[path] ?? payloads[path.replace(/\?.*/, '')];
    const url = `https://api.example${path}`;
    if (payload === undefined && !(path in payloads)) throw new SourceRefusedError('not found', { url });
    return { value: shape.parse(payload), url, receivedAt: RECEIVED_AT };
  };
  return api.tickers(ask, { exchange: 'bybit', category, categories, slot: SLOT, wants });
}
