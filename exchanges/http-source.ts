import type { CategoryOutcome, TickerBatch, TickerSource } from '../core/ingest/ports.ts';
import { SourceError } from '../core/ingest/source-errors.ts';
import type { Category } from '../core/market/series.ts';
import type { ExchangeAdapter, Pace } from './exchange-adapter.ts';
import { type ExchangeClientOptions, exchangeClient } from './exchange-client.ts';
import { everyMarket, type MarketFilter } from './market-filter.ts';

/** A source that can say how fast it asks at most. */
export interface ExchangeSource extends TickerSource {
  readonly pace?: Pace;
}

export interface HttpSourceOptions extends Omit<ExchangeClientOptions, 'adapter'> {
  name: string;
  categories: readonly Category[];
  adapter: ExchangeAdapter;
  /** @default every market */
  wants?: MarketFilter;
}

/** A source behind an exchange's HTTP API, as its adapter speaks it. */
export function httpSource(options: HttpSourceOptions): ExchangeSource {
  const { name, exchange, adapter, wants = everyMarket } = options;
  const openPoll = exchangeClient(options);
  return {
    name,
    exchange,
    categories: options.categories,
    pace: adapter.pace,
    fetch(categories, { slot, deadlineMs }) {
      const ask = openPoll({ deadlineMs });
      return outcomes(categories, (category) =>
        adapter.tickers(ask, { exchange, category, categories, slot, wants }),
      );
    },
  };
}

/** One outcome for each category; only errors of our own are thrown. */
export function outcomes(
  categories: readonly Category[],
  tickersOf: (category: Category) => Promise<TickerBatch>,
): Promise<CategoryOutcome[]> {
  return Promise.all(
    categories.map(async (category): Promise<CategoryOutcome> => {
      try {
        const batch = await tickersOf(category);
        return { category, receivedAt: new Date().toISOString(), batch };
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        return { category, receivedAt: new Date().toISOString(), error };
      }
    }),
  );
}
