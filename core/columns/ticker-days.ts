import { parseTickersKey, tickersPrefix } from '../lake/ticker-objects.ts';
import { DAY_MS } from '../market/time.ts';
import { marketsOf } from '../operate/lake-walk.ts';
import type { ManifestSource } from './manifest.ts';
import { periodWindow } from './objects.ts';
import type { ColumnMaker, ColumnStore } from './ports.ts';

const DAY_FOLDER = /dt=(\d{4}-\d\d-\d\d)\/$/;

/**
 * A poll writes to the lake when its slot is due, or some hours later if it is retried. So a day that has been over for a
 * week changes only if somebody restores or copies objects.
 */
const CHANGES_FOR_MS = 7 * DAY_MS;
/** One in this many older days is checked each day: for two years of a market, 26 requests instead of 730. */
const TURNS = 28;

/** Makes a file of each day's tickers, from the day's batches in the lake, once the day is over. */
export function tickerDays(
  store: Pick<ColumnStore, 'folders' | 'list'>,
  write: ColumnMaker['write'],
): ColumnMaker {
  return {
    table: 'tickers',
    async files(nowMs, exchange) {
      const markets = await marketsOf(store, exchange);
      const files = markets.map(async (market) => {
        const folders = await store.folders(tickersPrefix(market.exchange, market.category));
        const days = folders.flatMap((folder) => DAY_FOLDER.exec(folder)?.[1] ?? []);
        return days.map((period) => ({ table: 'tickers' as const, ...market, period }));
      });
      return (await Promise.all(files)).flat().filter((file) => periodWindow(file).toMs <= nowMs);
    },
    isWorthALook(file, nowMs) {
      const { fromMs, toMs } = periodWindow(file);
      const turnOf = (timeMs: number) => Math.floor(timeMs / DAY_MS) % TURNS;
      return nowMs - toMs < CHANGES_FOR_MS || turnOf(fromMs) === turnOf(nowMs);
    },
    async sources({ exchange, category, period }) {
      const sources: ManifestSource[] = [];
      const problems: string[] = [];
      for await (const { key, etag } of store.list(`${tickersPrefix(exchange, category)}dt=${period}/`)) {
        if (parseTickersKey(key)) sources.push({ key, etag });
        else problems.push(`${key} is not a batch of tickers`);
      }
      return { sources, problems };
    },
    write,
  };
}
