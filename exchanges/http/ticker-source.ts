import type { CategoryOutcome, TickerBatch, TickerSource } from '../../core/ingest/ports.ts';
import { SourceError } from '../../core/ingest/source-errors.ts';
import type { Category } from '../../core/market/series.ts';
import type { Pace } from '../exchange.ts';
import { marketFilter } from '../payload/market-filter.ts';
import { findTickerApi } from '../registry.ts';
import { type SourceConfig, UnknownSourceError } from '../source-config.ts';
import { type ClientOptions, ExchangeClient } from './client.ts';

/** A source of tickers that can say how fast it polls. */
export interface ExchangeSource extends TickerSource {
  readonly pace: Pace;
}

/**
 * Opens a configured source.
 * @throws UnknownSourceError for a source that needs ccxt
 */
export function createSource(config: SourceConfig, options: ClientOptions = {}): ExchangeSource {
  const { name, exchange, categories, api, maxTickers } = config;
  const native = findTickerApi(api);
  if (!native) {
    throw new UnknownSourceError(`${name} (${api}) needs ccxt: run it in the function ingest-ccxt.`);
  }
  const client = new ExchangeClient({ ...native.exchange, name: exchange }, options);
  const wants = marketFilter(config);
  return {
    name,
    exchange,
    categories,
    pace: native.exchange.pace,
    fetch(requested, { slot, deadlineMs }) {
      const ask = client.poll(deadlineMs);
      return outcomes(requested, (category) =>
        native.api.tickers(ask, { exchange, category, categories: requested, slot, wants, maxTickers }),
      );
    },
  };
}

/** One outcome for each category; rejects only for errors in our own code. */
export function outcomes(
  categories: readonly Category[],
  fetchTickers: (category: Category) => Promise<TickerBatch>,
): Promise<CategoryOutcome[]> {
  return Promise.all(
    categories.map(async (category): Promise<CategoryOutcome> => {
      try {
        const batch = await fetchTickers(category);
        return { category, receivedAt: new Date().toISOString(), batch };
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        return { category, receivedAt: new Date().toISOString(), error };
      }
    }),
  );
}
