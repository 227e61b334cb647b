import type { S3Lake } from '../../stores/s3/lake.ts';
import { parseTickersKey, tickersKey, tickersPrefix } from '../lake/ticker-objects.ts';
import { formatSeries } from '../market/series.ts';
import { parseTicker } from '../market/ticker.ts';
import { HOUR_MS } from '../market/time.ts';
import type { SeriesTicks, TickHours } from '../summarise/ports.ts';
import { type Market, marketsOf, walkBatches } from './lake-walk.ts';

/** The ticks in the lake. What cannot be read is left out and told in `problems`. */
export class LakeTicks implements TickHours {
  readonly problems: string[] = [];
  readonly #lake: S3Lake;
  #markets: Promise<Market[]> | undefined;

  constructor(lake: S3Lake) {
    this.#lake = lake;
  }

  async firstTickIn(fromMs: number, toMs: number): Promise<number | undefined> {
    const slots = (await this.#all()).map(async ({ exchange, category }) => {
      const startAfter = fromMs > 0 ? tickersKey({ exchange, category, slotMs: fromMs - 1 }) : undefined;
      for await (const key of this.#lake.keys(tickersPrefix(exchange, category), startAfter)) {
        const slotMs = parseTickersKey(key)?.slotMs;
        if (slotMs !== undefined && slotMs >= fromMs) return slotMs;
      }
      return Number.POSITIVE_INFINITY;
    });
    const first = Math.min(...(await Promise.all(slots)));
    return first < toMs ? first : undefined;
  }

  async ticksOf(hourMs: number): Promise<SeriesTicks[]> {
    const bySeries = new Map<string, SeriesTicks>();
    for (const market of await this.#all()) {
      const hour = { ...market, fromMs: hourMs, toMs: hourMs + HOUR_MS };
      for await (const { key, lines, problem } of walkBatches(this.#lake, hour)) {
        if (problem) this.problems.push(problem);
        for (const [position, line] of lines.entries()) {
          const parsed = parseTicker(line);
          if ('reason' in parsed) {
            this.problems.push(`${key}, line ${position + 1}: ${parsed.reason}`);
            continue;
          }
          const { exchange, category, symbol, base, quote, slot, last_price } = parsed.ticker;
          const ofSeries = bySeries.get(formatSeries(parsed.ticker)) ?? {
            series: {
              exchange,
              category,
              symbol,
              ...(base === undefined ? {} : { base }),
              ...(quote === undefined ? {} : { quote }),
            },
            ticks: [],
          };
          bySeries.set(formatSeries(parsed.ticker), ofSeries);
          ofSeries.ticks.push({ slotMs: Date.parse(slot), price: last_price });
        }
      }
    }
    return [...bySeries.values()];
  }

  #all(): Promise<Market[]> {
    this.#markets ??= marketsOf(this.#lake);
    return this.#markets;
  }
}
