import type { Market, Series } from '../market/series.ts';
import { HOUR_MS, hourOf } from '../market/time.ts';

/** What lake and index hold of one series in one hour, where they differ. */
export interface Difference extends Series {
  /** Start of the hour, ISO 8601 UTC. */
  hour: string;
  /** Ids that the lake holds, … */
  lake: number;
  /** … documents that the index holds. */
  index: number;
  /** Ids of the lake that the index does not hold. */
  missing: number;
  /** Documents of the index that the lake knows nothing of, or that are there twice. */
  extra: number;
  /** Some of the ids that are missing or extra. */
  examples: string[];
}

export interface TallyEntry {
  lake: number;
  missing: number;
  extra: number;
  examples: string[];
}

/** A tally as it travels from one slice to the next: by hour (epoch ms), by symbol. */
export type TallyState = Record<string, Record<string, TallyEntry>>;

const EXAMPLES = 3;

/** Counts a market's ids by hour and symbol; holds the hours that are not compared to their end yet. */
export class HourTally {
  readonly #hours = new Map<number, Map<string, TallyEntry>>();

  constructor(state: TallyState = {}) {
    for (const [hour, entries] of Object.entries(state)) {
      this.#hours.set(Number(hour), new Map(Object.entries(entries)));
    }
  }

  addLake(symbol: string, slotMs: number): void {
    this.#entry(symbol, slotMs).lake += 1;
  }

  addMissing(id: string, symbol: string, slotMs: number): void {
    const entry = this.#entry(symbol, slotMs);
    entry.missing += 1;
    if (entry.examples.length < EXAMPLES) entry.examples.push(id);
  }

  addExtra(id: string, symbol: string, slotMs: number): void {
    const entry = this.#entry(symbol, slotMs);
    entry.extra += 1;
    if (entry.examples.length < EXAMPLES) entry.examples.push(id);
  }

  /** Gives out, and forgets, the hours that end at `untilMs` or before. */
  close(untilMs: number, market: Market): { seriesHours: number; differences: Difference[] } {
    const closed = { seriesHours: 0, differences: [] as Difference[] };
    for (const [hourMs, entries] of [...this.#hours].sort(([a], [b]) => a - b)) {
      if (hourMs + HOUR_MS > untilMs) continue;
      this.#hours.delete(hourMs);
      closed.seriesHours += entries.size;
      for (const [symbol, { lake, missing, extra, examples }] of entries) {
        if (missing === 0 && extra === 0) continue;
        const hour = new Date(hourMs).toISOString();
        const { exchange, category } = market;
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

  #entry(symbol: string, slotMs: number): TallyEntry {
    const hourMs = hourOf(slotMs);
    const entries = this.#hours.get(hourMs) ?? new Map<string, TallyEntry>();
    this.#hours.set(hourMs, entries);
    const entry = entries.get(symbol) ?? { lake: 0, missing: 0, extra: 0, examples: [] };
    entries.set(symbol, entry);
    return entry;
  }
}
