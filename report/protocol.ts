import type { PictureAnswer } from '../charts/questions.ts';
import type { SeriesSummary } from '../charts/report-data.ts';
import type { SeriesChoice } from '../charts/report-store.ts';

/** The messages between the page and its server. A report file contains all of them at once. */

/** `GET /api/pulse`: polled often, so it is cheap to answer. */
export interface Pulse {
  /** The pipeline's now, epoch ms. */
  asOfMs: number;
  /** The newest slot that is indexed, epoch ms; absent before the first. */
  newestSlotMs?: number;
  /** Ticks in the index. */
  ticks: number;
}

/** `GET /api/choices?search=&picked=` */
export interface Choices {
  asOfMs: number;
  /** The first that match the search, by turnover. */
  choices: SeriesChoice[];
  /** How many match it. */
  total: number;
  /** Whether the picked series is one of all. */
  isPickedKnown: boolean;
}

/** `GET /api/summary?series=` */
export type SummaryAnswer = SeriesSummary;

/** `GET /api/picture?picture=&series=&window=` */
export type { PictureAnswer };

/** The body of an error response. */
export interface Failure {
  message: string;
}

/** A report without a server behind it. */
export interface Snapshot {
  /** `this machine` or `stage dev`. */
  origin: string;
  asOfMs: number;
  choices: SeriesChoice[];
  summaries: Record<string, SeriesSummary>;
  /** By `questionKey`. */
  answers: Record<string, PictureAnswer>;
}

/** The id of the element that contains the snapshot. */
export const SNAPSHOT_ELEMENT = 'snapshot';
