import type { Market, Series } from '../market/series.ts';
import { HOUR_MS, hourOf } from '../market/time.ts';
import type { IndexedTicker } from './ports.ts';

/** One series in one hour in which lake and index differ. */
export interface Difference extends Series {
  /** Start of the hour, ISO 8601 UTC. */
  hour: string;
  /** Ids in the lake. */
  lake: number;
  /** Documents in the index. */
  index: number;
  /** Ids in the lake but not in the index. */
  missing: number;
  /** Documents that are not in the lake, or in the index twice. */
  extra: number;
  /** A few of the missing and extra ids. */
  examples: string[];
}

type TallyEntry = Pick<Difference, 'lake' | 'missing' | 'extra' | 'examples'>;

/** A tally passed from one slice to the next: by hour (epoch ms), by symbol. */
export type TallyState = Record<string, Record<string, TallyEntry>>;

const EXAMPLES = 3;

/** Counts a market's ids by hour and symbol. It keeps only hours that are not completely compared yet. */
export class HourTally {
  readonly #hours = new Map<number, Map<string, TallyEntry>>();

  constructor(state: TallyState = {}) {
    for (const [hour, entries] of Object.entries(state)) {
      this.#hours.set(Number(hour), new Map(Object.entries(entries)));
    }
  }

  add(kind: 'lake' | 'missing' | 'extra', { id, symbol, slotMs }: IndexedTicker): void {
    const hourMs = hourOf(slotMs);
    const entries = this.#hours.get(hourMs) ?? new Map<string, TallyEntry>();
    this.#hours.set(hourMs, entries);
    const entry = entries.get(symbol) ?? { lake: 0, missing: 0, extra: 0, examples: [] };
    entries.set(symbol, entry);
    entry[kind] += 1;
    if (kind !== 'lake' && entry.examples.length < EXAMPLES) entry.examples.push(id);
  }

  /** Returns and forgets the hours that end at `untilMs` or before. */
  close(untilMs: number, { exchange, category }: Market): { seriesHours: number; differences: Difference[] } {
    const closed = { seriesHours: 0, differences: [] as Difference[] };
    for (const [hourMs, entries] of [...this.#hours].sort(([a], [b]) => a - b)) {
      if (hourMs + HOUR_MS > untilMs) continue;
      this.#hours.delete(hourMs);
      closed.seriesHours += entries.size;
      const hour = new Date(hourMs).toISOString();
      for (const [symbol, { lake, missing, extra, examples }] of entries) {
        if (missing === 0 && extra === 0) continue;
        const index = lake - missing + extra;
        closed.differences.push({ exchange, category, symbol, hour, lake, index, missing, extra, examples });
      }
    }
    return closed;
  }

  state(): TallyState {
    return Object.fromEntries(
      [...this.#hours].map(([hour, entries]) => [String(hour), Object.fromEntries(entries)]),
    );
  }
}
