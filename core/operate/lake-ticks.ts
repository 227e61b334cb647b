import { parseTickersKey } from '../lake/ticker-objects.ts';
import { candleSeriesOf } from '../market/candle.ts';
import { formatSeries, type Market, type Series } from '../market/series.ts';
import { parseTicker, tickerId } from '../market/ticker.ts';
import { HOUR_MS } from '../market/time.ts';
import type { SeriesTicks, TickHours } from '../summarise/ports.ts';
import { keysFrom, marketsOf, walkBatches } from './lake-walk.ts';
import type { LakeObjects } from './ports.ts';

/** The ticks in the lake. Whatever cannot be read is left out and reported in `problems`. */
export class LakeTicks implements TickHours {
  readonly hasAllTicks = true;
  readonly problems: string[] = [];
  readonly #lake: LakeObjects;
  #markets: Promise<Market[]> | undefined;

  /** @param markets @default all that the lake has */
  constructor(lake: LakeObjects, markets?: Market[]) {
    this.#lake = lake;
    this.#markets = markets && Promise.resolve(markets);
  }

  async firstTickIn(fromMs: number, toMs: number): Promise<number | undefined> {
    const slots = (await this.#all()).map(async (market) => {
      for await (const key of keysFrom(this.#lake, market, fromMs)) {
        const slotMs = parseTickersKey(key)?.slotMs;
        if (slotMs !== undefined && slotMs >= fromMs) return slotMs;
      }
      return Number.POSITIVE_INFINITY;
    });
    const first = Math.min(...(await Promise.all(slots)));
    return first < toMs ? first : undefined;
  }

  marketsOf(): Promise<Market[]> {
    return this.#all();
  }

  async ticksOf(hourMs: number, { exchange, category }: Market): Promise<SeriesTicks[]> {
    const bySeries = new Map<string, SeriesTicks>();
    const hour = { exchange, category, fromMs: hourMs, toMs: hourMs + HOUR_MS };
    for await (const { key, address, lines, problem } of walkBatches(this.#lake, hour)) {
      if (problem) this.problems.push(problem);
      for (const [position, line] of lines.entries()) {
        const parsed = parseTicker(line);
        if ('reason' in parsed) {
          this.problems.push(`${key}, line ${position + 1}: ${parsed.reason}`);
          continue;
        }
        const { ticker } = parsed;
        const slotMs = Date.parse(ticker.slot);
        if (slotMs !== address?.slotMs || !isOf(hour, ticker)) {
          this.problems.push(`${key}, line ${position + 1}: a ticker of another batch, ${tickerId(ticker)}`);
          continue;
        }
        const name = formatSeries(ticker);
        const ofSeries = bySeries.get(name) ?? { series: candleSeriesOf(ticker), ticks: [] };
        bySeries.set(name, ofSeries);
        ofSeries.ticks.push({ slotMs, price: ticker.last_price });
      }
    }
    return [...bySeries.values()];
  }

  #all(): Promise<Market[]> {
    this.#markets ??= marketsOf(this.#lake);
    return this.#markets;
  }
}

function isOf(market: Market, { exchange, category }: Series): boolean {
  return exchange === market.exchange && category === market.category;
}
