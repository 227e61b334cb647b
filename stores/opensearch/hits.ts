import { HOUR_MS } from '../../core/market/time.ts';
import type { Window } from '../../core/market/window.ts';

/** One document in the answer to a search. */
export interface SearchHit<Source = unknown> {
  _id: string;
  _source: Source;
  /** Doc values. */
  fields: Record<string, unknown[]>;
  sort: unknown[];
}

type WithFields = Pick<SearchHit, 'fields'>;

export function numberIn({ fields }: WithFields, field: string): number {
  return Number(fields[field]?.[0]);
}

export function textIn({ fields }: WithFields, field: string): string {
  return fields[field]?.[0] as string;
}

/** The time that a candle covers. */
export function candleWindowIn(hit: WithFields): Window {
  const fromMs = numberIn(hit, 'start');
  return { fromMs, toMs: fromMs + numberIn(hit, 'hours') * HOUR_MS };
}
