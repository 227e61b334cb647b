import type { Client } from '@opensearch-project/opensearch';
import type { FailedPolls } from '../../core/completeness/failures.ts';
import { SUMMARY_STATE_INDEX } from '../../core/market/index-names.ts';
import { formatMarket, type Market } from '../../core/market/series.ts';
import type { FailedPollIndex } from '../../core/operate/ports.ts';
import { isNote, type MarketNote, MarketNotes, notesByTime } from './market-notes.ts';
import { allOf, ofMarket } from './queries.ts';
import type { OpenSearchSearch } from './search.ts';

/** One hour of a market in which the exchange failed. */
interface FailedPollsNote extends MarketNote {
  kind: 'failedPolls';
  failed: number;
  due: number;
}

/** The hours of a market in which polls failed, in time order. */
export async function failedPollsOfMarket(search: OpenSearchSearch, market: Market): Promise<FailedPolls[]> {
  const hits = await search.all<FailedPollsNote>(SUMMARY_STATE_INDEX, {
    query: allOf(isNote('failedPolls'), ofMarket(market)),
    sort: notesByTime('asc'),
  });
  return hits.map(({ _source: { exchange, category, hour, failed, due } }) => {
    return { exchange, category, hourMs: Date.parse(hour), failed, due };
  });
}

/** For the function that takes them from the lake. */
export class OpenSearchFailedPollIndex implements FailedPollIndex {
  readonly #notes: MarketNotes<FailedPollsNote>;

  constructor(client: Client) {
    this.#notes = new MarketNotes(client, 'failedPolls');
  }

  newestHour(market: Market, deadlineMs: number): Promise<number | undefined> {
    return this.#notes.newest(market, deadlineMs);
  }

  add(hours: readonly FailedPolls[], deadlineMs: number): Promise<void> {
    const notes = hours.map(({ exchange, category, hourMs, failed, due }) => {
      const hour = new Date(hourMs).toISOString();
      const note: FailedPollsNote = { kind: 'failedPolls', exchange, category, hour, failed, due };
      return [`${formatMarket(note)}:${hourMs}`, note] as const;
    });
    return this.#notes.put(new Map(notes), deadlineMs);
  }
}
