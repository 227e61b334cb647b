import { SourceError } from '../core/ingest/source-errors.ts';
import type { Category } from '../core/market/series.ts';
import type { ExchangeAdapter, Pace } from './exchange-adapter.ts';
import { type ExchangeClientOptions, exchangeClient } from './exchange-client.ts';
import { everyMarket, type MarketFilter } from './market-filter.ts';
import type { NormalisedBatch } from './normalise.ts';

/** What one category of a poll came to: its batch, or why there is none. */
export type CategoryOutcome =
  | { category: Category; receivedAt: string; batch: NormalisedBatch }
  | { category: Category; receivedAt: string; error: SourceError };

/** Where tickers come from. */
export interface TickerSource {
  readonly name: string;
  readonly exchange: string;
  readonly categories: readonly Category[];
  /** How fast it asks at most. */
  readonly pace?: Pace;
  /**
   * Asks for the categories, one outcome each, in their order; never rejects for what the exchange did.
   * Gives up at `deadlineMs` (epoch ms).
   */
  fetch(
    categories: readonly Category[],
    poll: { slot: string; deadlineMs: number },
  ): Promise<CategoryOutcome[]>;
}

export interface HttpSourceOptions extends Omit<ExchangeClientOptions, 'adapter'> {
  name: string;
  categories: readonly Category[];
  adapter: ExchangeAdapter;
  /** @default every market */
  wants?: MarketFilter;
}

/** A source behind an exchange's HTTP API, as its adapter speaks it. */
export function httpSource(options: HttpSourceOptions): TickerSource {
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
  tickersOf: (category: Category) => Promise<NormalisedBatch>,
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
