import type { Category } from '../market/series.ts';

/** The outcome of one category in one poll. */
export interface CategoryReport {
  category: Category;
  /**
   * `polled`: fetched and stored; `alreadyInLake`: an earlier attempt at this slot stored it;
   * `acknowledged`: an earlier attempt also produced it; `failed`: nothing could be stored.
   */
  status: 'polled' | 'alreadyInLake' | 'acknowledged' | 'failed';
  /** Valid tickers that the exchange sent. */
  fetched: number;
  rejected: number;
  /** Markets that are not live: ended, suspended, or not traded yet. */
  absent?: number;
  /** How many tickers there should have been; known only if each market took its own request. */
  expected?: number;
  /**
   * Why the answer is suspicious: empty, less than half of what was expected or of the previous poll's
   * tickers, or with a market state that we do not know.
   */
  suspicious?: string;
  error?: { name: string; message: string };
}

/** The outcome of one poll. */
export interface PollReport {
  source: string;
  exchange: string;
  slot: string;
  categories: CategoryReport[];
  /** Compressed size of the batches written to the lake. */
  lakeBytes: number;
  /** Records that the stream acknowledged, of this slot and the backlog. */
  produced: number;
  /** Batches of other slots that were waiting in the lake and have now been produced. */
  backlogBatches: number;
  /** Batches still waiting in the lake, e.g. because time ran out; the next poll produces them. */
  waitingBatches: number;
  /**
   * Keys of the lake that could not be read, with the reason. They are skipped so that they do not block what follows,
   * and `verify` reports batches too. Absent if there were none.
   */
  unreadable?: string[];
  /**
   * Backlogs that polls will not produce, with the command that does: everything before the last hour if
   * there was no marker, and whatever the index would no longer keep. Only in the poll that found them.
   */
  leftToReplay?: string[];
}

/** No category of the source could be polled. Batches waiting in the lake were still produced. */
export class PollFailedError extends Error {
  override readonly name = 'PollFailedError';
  readonly report: PollReport;
  constructor(report: PollReport, causes: unknown[]) {
    const reasons = report.categories.map(({ category, error }) => `${category}: ${error?.message}`);
    super(`${report.source} could not be polled for slot ${report.slot}. ${reasons.join('; ')}`, {
      cause: new AggregateError(causes),
    });
    this.report = report;
  }
}
