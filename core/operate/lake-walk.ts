import { UnreadableObjectError } from '../lake/ndjson.ts';
import { type BatchAddress, parseTickersKey, tickersKey, tickersPrefix } from '../lake/ticker-objects.ts';
import { isCategory, type Market } from '../market/series.ts';
import { HOUR_MS } from '../market/time.ts';
import type { Slice } from './operation.ts';
import type { Extent, LakeObjects, Stretch } from './ports.ts';
import { rangeMs, type TimeRange } from './time-range.ts';

/** One object of the lake. */
export interface WalkedBatch {
  key: string;
  /** Undefined if the key is not that of a batch. */
  address: BatchAddress | undefined;
  lines: string[];
  /** Why the object could not be read; it has no lines then. */
  problem?: string;
}

/** @param root of the folders of exchanges. @default all that have tickers */
export async function marketsOf(
  lake: Pick<LakeObjects, 'folders'>,
  exchange?: string,
  root = 'tickers/',
): Promise<Market[]> {
  const exchanges = exchange === undefined ? await valuesIn(lake, root, 'exchange') : [exchange];
  const markets = exchanges.map(async (name) =>
    (await valuesIn(lake, `${root}exchange=${name}/`, 'category'))
      .filter(isCategory)
      .map((category) => ({ exchange: name, category })),
  );
  return (await Promise.all(markets)).flat();
}

/** The values of the `field=value/` folders in a folder. */
async function valuesIn(
  lake: Pick<LakeObjects, 'folders'>,
  prefix: string,
  field: string,
): Promise<string[]> {
  const start = `${prefix}${field}=`;
  const folders = await lake.folders(prefix);
  return folders.filter((folder) => folder.startsWith(start)).map((folder) => folder.slice(start.length, -1));
}

/** Undefined if the lake has nothing of the market. */
export async function extentOf(lake: LakeObjects, market: Market): Promise<Extent | undefined> {
  const days = await lake.folders(tickersPrefix(market.exchange, market.category));
  const [firstDay, lastDay] = [days[0], days.at(-1)];
  if (firstDay === undefined || lastDay === undefined) return undefined;
  const [firstHours, lastHours] = await Promise.all([lake.folders(firstDay), lake.folders(lastDay)]);
  let lastMs: number | undefined;
  for await (const key of lake.keys(lastHours.at(-1) ?? lastDay)) {
    lastMs = Math.max(lastMs ?? 0, parseTickersKey(key)?.slotMs ?? 0);
  }
  if (lastMs === undefined) return undefined;
  return { ...market, firstMs: startOf(firstHours[0] ?? firstDay) ?? lastMs, lastMs };
}

function startOf(folder: string): number | undefined {
  const match = /dt=(\d{4}-\d\d-\d\d)\/(?:hour=(\d\d)\/)?$/.exec(folder);
  return match ? Date.parse(`${match[1]}T${match[2] ?? '00'}:00:00.000Z`) : undefined;
}

/** The stretches of a range that have data, in the lake or in one of `elsewhere`. */
export async function stretchesIn(
  range: TimeRange,
  lake: LakeObjects,
  elsewhere: readonly Extent[] = [],
): Promise<Stretch[]> {
  const extents = [...elsewhere];
  for (const market of await marketsOf(lake, range.exchange)) {
    const extent = await extentOf(lake, market);
    if (extent) extents.push(extent);
  }
  const { fromMs, toMs } = rangeMs(range);
  const byMarket = Map.groupBy(extents, ({ exchange, category }) => `${exchange}:${category}`);
  return [...byMarket.values()].flatMap((ofMarket) => {
    const [{ exchange, category }] = ofMarket as [Extent];
    const stretch = {
      exchange,
      category,
      fromMs: Math.max(fromMs, Math.min(...ofMarket.map(({ firstMs }) => firstMs))),
      toMs: Math.min(toMs, Math.max(...ofMarket.map(({ lastMs }) => lastMs)) + 1),
    };
    return stretch.fromMs < stretch.toMs ? [stretch] : [];
  });
}

/** How far an operation has walked through its stretches; passed from slice to slice. */
export interface Walk {
  stretches: Stretch[];
  /** The position of the current stretch, … */
  current: number;
  /** … which is done up to here, epoch ms. */
  nextMs: number;
  doneHours: number;
  totalHours: number;
}

export function beginWalk(stretches: Stretch[]): Walk {
  const totalHours = hoursIn(stretches);
  return { stretches, current: 0, nextMs: stretches[0]?.fromMs ?? 0, doneHours: 0, totalHours };
}

function hoursIn(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { fromMs, toMs }) => sum + hoursBetween(fromMs, toMs), 0);
}

function isSameMarket(a: Market, b: Market): boolean {
  return a.exchange === b.exchange && a.category === b.category;
}

/** The walk, with what its range has now: stretches that have grown since it began, and new ones. */
export function extendWalk(walk: Walk, found: readonly Stretch[]): Walk {
  const { current } = walk;
  const stretches = walk.stretches.map((stretch) => ({ ...stretch }));
  for (const stretch of found) {
    const known = stretches.findLastIndex((each) => isSameMarket(each, stretch));
    const { toMs = Number.NEGATIVE_INFINITY } = stretches[known] ?? {};
    if (stretch.toMs <= toMs) continue;
    if (known >= current) (stretches[known] as Stretch).toMs = stretch.toMs;
    else stretches.push({ ...stretch, fromMs: Math.max(stretch.fromMs, toMs) });
  }
  return { ...walk, stretches, totalHours: hoursIn(stretches) };
}

/** Takes step after step, each with the rest of the current stretch, until the walk or the time ends. */
export async function walkSlice<Output>(
  walk: Walk,
  output: Output,
  hasTime: () => boolean,
  step: (rest: Stretch) => Promise<void>,
): Promise<Slice<Output>> {
  for (;;) {
    const stretch = walk.stretches[walk.current];
    if (!stretch) return { progress: progressOf(walk), output };
    if (!hasTime()) return { cursor: walk, progress: progressOf(walk), output };
    await step({ ...stretch, fromMs: walk.nextMs });
  }
}

/** Marks everything before `untilMs` as done; at the end of a stretch the next one begins. */
export function moveOn(walk: Walk, untilMs: number): void {
  walk.nextMs = untilMs;
  const stretch = walk.stretches[walk.current];
  if (!stretch || untilMs < stretch.toMs) return;
  walk.doneHours += hoursBetween(stretch.fromMs, stretch.toMs);
  walk.current += 1;
  walk.nextMs = walk.stretches[walk.current]?.fromMs ?? 0;
}

function progressOf({ stretches, current, nextMs, doneHours, totalHours }: Walk): Slice<unknown>['progress'] {
  const stretch = stretches[current];
  const inside = stretch ? hoursBetween(stretch.fromMs, Math.min(nextMs, stretch.toMs)) : 0;
  return { done: doneHours + inside, total: totalHours, unit: 'hours' };
}

function hoursBetween(fromMs: number, toMs: number): number {
  return Math.max(0, Math.ceil((toMs - fromMs) / HOUR_MS));
}

/** Objects read ahead: enough to keep a store busy, few enough for a Lambda's memory. */
const READ_AHEAD = 16;

/** Keys of a market's batches, from a slot on (epoch ms). */
export function keysFrom(lake: LakeObjects, { exchange, category }: Market, fromMs: number) {
  const startAfter = fromMs > 0 ? tickersKey({ exchange, category, slotMs: fromMs - 1 }) : undefined;
  return lake.keys(tickersPrefix(exchange, category), startAfter);
}

/** The batches of a stretch in slot order, read ahead. */
export async function* walkBatches(lake: LakeObjects, stretch: Stretch): AsyncGenerator<WalkedBatch> {
  const { fromMs, toMs } = stretch;
  const ahead: Promise<WalkedBatch>[] = [];
  try {
    for await (const key of keysFrom(lake, stretch, fromMs)) {
      const address = parseTickersKey(key);
      if (address && address.slotMs < fromMs) continue;
      if (address && address.slotMs >= toMs) break;
      const batch = address
        ? readBatch(lake, key, address)
        : Promise.resolve({ key, address, lines: [], problem: `${key} is not a batch of tickers` });
      batch.catch(() => undefined); // thrown when it is awaited
      ahead.push(batch);
      if (ahead.length >= READ_AHEAD) yield await (ahead.shift() as Promise<WalkedBatch>);
    }
    for (const batch of ahead.splice(0)) yield await batch;
  } finally {
    await Promise.allSettled(ahead);
  }
}

async function readBatch(lake: LakeObjects, key: string, address: BatchAddress): Promise<WalkedBatch> {
  try {
    return { key, address, lines: (await lake.readLines(key)) ?? [] };
  } catch (error) {
    if (!(error instanceof UnreadableObjectError)) throw error;
    return { key, address, lines: [], problem: error.message };
  }
}
