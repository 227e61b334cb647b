import type { PictureAnswer } from '../charts/questions.ts';
import type { SeriesChoice, SeriesSummary } from '../charts/report-data.ts';

/** What the page and its server say to each other; the same, all at once, is inside a report that is a file. */

/** `GET /api/pulse`: asked often, so it is cheap to answer. */
export interface Pulse {
  /** The pipeline's now, epoch ms. */
  asOfMs: number;
  /** The newest slot that is indexed, epoch ms; absent before the first. */
  newestSlotMs?: number;
  /** Ticks in the index. */
  ticks: number;
}

/** `GET /api/choices` */
export interface Choices {
  asOfMs: number;
  choices: SeriesChoice[];
}

/** `GET /api/summary?series=` */
export type SummaryAnswer = SeriesSummary;

/** `GET /api/picture?picture=&series=&window=` */
export type { PictureAnswer };

/** What a request that fails is answered. */
export interface Failure {
  message: string;
}

/** A report without a server behind it. */
export interface Snapshot {
  /** Where it comes from: "this machine" or "stage dev". */
  origin: string;
  asOfMs: number;
  choices: SeriesChoice[];
  summaries: Record<string, SeriesSummary>;
  /** By `questionKey`. */
  answers: Record<string, PictureAnswer>;
}

/** Ids of elements that the page's markup and its script agree about. */
export const SNAPSHOT_ELEMENT = 'snapshot';
