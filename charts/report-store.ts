import type { SeriesStore } from '../core/insights/ports.ts';
import type { SamplingIntervals } from '../core/market/sampling.ts';

/** A series the reader can pick. */
export interface SeriesChoice {
  /** `exchange:category:symbol` */
  series: string;
  /** Its currency, if its newest tick says so. */
  base?: string;
}

/** The store behind the report's numbers. */
export interface ReportStore {
  /** Searches indices; ones that do not exist yet are empty. */
  search(index: string, body: object): Promise<SearchAnswer>;
  insights: SeriesStore;
  /** What can be picked, as of a moment ago. @default read whenever it is needed */
  choices?: (asOfMs: number) => Promise<readonly SeriesChoice[]>;
  samplingIntervals: SamplingIntervals;
}

interface SearchHit {
  _source?: Record<string, unknown>;
  fields?: Record<string, unknown[]>;
  sort?: unknown[];
}

interface SearchAnswer {
  hits: { hits: SearchHit[] };
  aggregations?: Record<string, unknown>;
}
