import { isDeepStrictEqual } from 'node:util';
import { CANDLES_PREFIX, overlaps } from '../lake/candle-objects.ts';
import type { Candle } from '../market/candle.ts';
import { pollsDueInHour, type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import { formatMarket, type Market } from '../market/series.ts';
import { DAY_MS, HOUR_MS } from '../market/time.ts';
import type { Window } from '../market/window.ts';
import { marketsOf } from '../operate/lake-walk.ts';
import type { ExchangeCandles } from '../operate/ports.ts';
import type { ManifestSource } from './manifest.ts';
import { monthBefore, monthsBetween } from './months.ts';
import {
  COLUMNS_PREFIX,
  columnKey,
  columnsPrefix,
  manifestsPrefix,
  parseManifestKey,
  periodWindow,
} from './objects.ts';
import type { ColumnMaker, ColumnStore, Take, WrittenFile } from './ports.ts';
import {
  listRecorded,
  objectsOf,
  type RecordedObject,
  recordedCandles,
  recordedIn,
} from './recorded-objects.ts';

/** What a month of candles is made from. Files are named by their keys. */
export interface CandleMonthPlan {
  month: Window;
  /** The month's file as it is. All of its days but those in `days` stay as they are. @default there is none to keep */
  keep?: string;
  /** The candles of the month before, for the return of the first candles. */
  previous?: string;
  days: PlannedDay[];
  /** Recorded candles of these days, object by object; if several have the same time, the last one counts. */
  recorded: AsyncIterable<readonly Candle[]>;
}

export interface PlannedDay {
  /** Epoch ms. */
  startMs: number;
  /** The day's tickers. @default it has none */
  ticks?: string;
  /** How many polls were due in each of its hours. */
  pollsDue: number[];
}

export interface CandleMonthServices {
  store: Pick<ColumnStore, 'folders' | 'list' | 'read' | 'readManifest'>;
  exchangeCandles: Pick<ExchangeCandles, 'parse' | 'pairOf'>;
  samplingIntervals: SamplingIntervals;
  /** Runs a plan. */
  write: (plan: CandleMonthPlan, take: Take<WrittenFile>) => Promise<void>;
}

const DAY_FILE = /\/dt=(\d{4}-\d\d-\d\d)\/part-0\.parquet$/;
/**
 * Makes a month's file of candles from the files of its days' tickers and from recorded candles, as `rebuild`
 * makes them for the index. Its sources are, in this order: the days, the file of the month before, and
 * recorded objects in the order in which they were written, because the last one counts.
 */
export function candleMonths(services: CandleMonthServices): ColumnMaker {
  const { store } = services;
  const listed = new Map<string, Promise<RecordedObject[]>>();
  const recordedOf = (market: Market) => {
    const name = formatMarket(market);
    const objects = listed.get(name) ?? listRecorded(store, market);
    listed.set(name, objects);
    return objects;
  };
  const monthsOf = async (market: Market) => {
    const months = new Set<string>();
    for (const { object } of await recordedOf(market)) {
      for (const month of monthsBetween(object.firstMs, object.lastMs)) months.add(month);
    }
    for await (const { key } of store.list(columnsPrefix({ ...market, table: 'tickers' }))) {
      const month = DAY_FILE.exec(key)?.[1]?.slice(0, 7);
      if (month) months.add(month);
    }
    // If everything that a month was made from is gone, its file becomes empty.
    for await (const { key } of store.list(manifestsPrefix({ ...market, table: 'candles' }))) {
      const month = parseManifestKey(key)?.period;
      if (month) months.add(month);
    }
    return [...months];
  };
  return {
    table: 'candles',
    async files(_nowMs, exchange) {
      listed.clear();
      const roots = [CANDLES_PREFIX, `${COLUMNS_PREFIX}tickers/`, `${COLUMNS_PREFIX}candles/`];
      const found = (await Promise.all(roots.map((root) => marketsOf(store, exchange, root)))).flat();
      const markets = [...new Map(found.map((market) => [formatMarket(market), market])).values()];
      const files = markets.map(async (market) =>
        (await monthsOf(market)).map((period) => ({ table: 'candles' as const, ...market, period })),
      );
      return (await Promise.all(files)).flat();
    },
    isWorthALook: () => true,
    async sources(file) {
      const { fromMs, toMs } = periodWindow(file);
      const known = new Map((await store.readManifest(file))?.sources.map((source) => [source.key, source]));
      const intervalMs = samplingIntervalOf(file, services.samplingIntervals);
      const days: ManifestSource[] = [];
      for await (const { key, etag } of store.list(
        `${columnsPrefix({ ...file, table: 'tickers' })}dt=${file.period}-`,
      )) {
        if (!DAY_FILE.test(key)) continue;
        days.push({ key, etag, samplingIntervalMs: known.get(key)?.samplingIntervalMs ?? intervalMs });
      }
      const recorded = (await recordedOf(file))
        .filter(({ object }) => overlaps(object, fromMs, toMs))
        .map(({ key, etag }) => ({ key, etag }));
      if (days.length + recorded.length === 0) return { sources: [], problems: [], areGone: true };
      const before = { ...file, period: monthBefore(file.period) };
      const manifest = await store.readManifest(before);
      const previous = manifest ? [{ key: columnKey(before), etag: manifest.sha256 }] : [];
      return { sources: [...days, ...previous, ...recorded], problems: [] };
    },
    write: (...given) => writeMonth(services, ...given),
  };
}

async function writeMonth(
  { store, exchangeCandles, samplingIntervals, write }: CandleMonthServices,
  ...[file, sources, take, current]: Parameters<ColumnMaker['write']>
): Promise<void> {
  const month = periodWindow(file);
  const recorded = recordedIn(sources);
  // Other recorded candles may change any day.
  const before = isDeepStrictEqual(recordedIn(current?.sources ?? []), recorded) ? current : undefined;
  const tickers = daysIn(sources);
  const starts = before
    ? changedDays(before.sources, sources)
    : daysOf(month).filter((startMs) => tickers.has(startMs) || objectsOf(recorded, [startMs]).length > 0);
  const days = starts.map((startMs): PlannedDay => {
    const day = tickers.get(startMs);
    const intervalMs = day?.samplingIntervalMs ?? samplingIntervalOf(file, samplingIntervals);
    const hours = Array.from({ length: DAY_MS / HOUR_MS }, (_, hour) => startMs + hour * HOUR_MS);
    const pollsDue = hours.map((hourMs) => pollsDueInHour(hourMs, intervalMs));
    return { startMs, ...(day ? { ticks: day.key } : {}), pollsDue };
  });
  const unreadable = new Set(before?.unreadable);
  const problems: string[] = [];
  const previous = columnKey({ ...file, period: monthBefore(file.period) });
  const plan: CandleMonthPlan = {
    month,
    days,
    ...(before ? { keep: columnKey(file) } : {}),
    ...(sources.some(({ key }) => key === previous) ? { previous } : {}),
    recorded: recordedCandles(recorded, starts, { store, exchangeCandles }, (error) => {
      unreadable.add(error.key);
      problems.push(error.message);
    }),
  };
  await write(plan, async (written) => {
    const unread = unreadable.size > 0 ? { unreadable: [...unreadable].sort() } : {};
    await take({ ...written, content: { ...written.content, ...unread }, problems });
  });
}

/** The days of tickers among sources, by their starts in epoch ms. */
function daysIn(sources: readonly ManifestSource[]): Map<number, ManifestSource> {
  return new Map(
    sources.flatMap((source) => {
      const day = DAY_FILE.exec(source.key)?.[1];
      return day ? [[Date.parse(`${day}T00:00:00.000Z`), source]] : [];
    }),
  );
}

/** The starts of the days whose ticks have changed, epoch ms. */
function changedDays(before: readonly ManifestSource[], sources: readonly ManifestSource[]): number[] {
  const [old, now] = [daysIn(before), daysIn(sources)];
  const days = [...new Set([...old.keys(), ...now.keys()])].sort((a, b) => a - b);
  return days.filter((startMs) => !isDeepStrictEqual(old.get(startMs), now.get(startMs)));
}

function daysOf({ fromMs, toMs }: Window): number[] {
  return Array.from({ length: (toMs - fromMs) / DAY_MS }, (_, day) => fromMs + day * DAY_MS);
}
