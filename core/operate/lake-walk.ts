import type { S3Lake } from '../../stores/s3/lake.ts';
import { UnreadableObjectError } from '../lake/ndjson.ts';
import { type BatchAddress, parseTickersKey, tickersKey, tickersPrefix } from '../lake/ticker-objects.ts';
import { CATEGORIES, type Category } from '../market/series.ts';
import { HOUR_MS } from '../market/time.ts';

/** Everything of one exchange and category: the lake keeps it in one folder, in the order of its slots. */
export interface Market {
  exchange: string;
  category: Category;
}

/** A market's walk: from (epoch ms, inclusive) to (exclusive). */
export interface Stretch extends Market {
  fromMs: number;
  toMs: number;
}

/** One object of the lake. */
export interface WalkedBatch {
  key: string;
  /** Undefined where the key is none of a batch. */
  address: BatchAddress | undefined;
  lines: string[];
  /** Why the object could not be read; then it has no lines. */
  problem?: string;
}

/** The markets that the lake holds. */
export async function marketsOf(lake: S3Lake, exchange?: string): Promise<Market[]> {
  const exchanges = exchange === undefined ? await namesIn(lake, 'tickers/', 'exchange') : [exchange];
  const markets = exchanges.map(async (name) =>
    (await namesIn(lake, `tickers/exchange=${name}/`, 'category'))
      .filter((category): category is Category => (CATEGORIES as readonly string[]).includes(category))
      .map((category) => ({ exchange: name, category })),
  );
  return (await Promise.all(markets)).flat();
}

/** `prefix` holds `field=value/` folders; their values. */
async function namesIn(lake: S3Lake, prefix: string, field: string): Promise<string[]> {
  const start = `${prefix}${field}=`;
  const folders = await lake.folders(prefix);
  return folders.filter((folder) => folder.startsWith(start)).map((folder) => folder.slice(start.length, -1));
}

/** The first hour and the last slot that the lake holds of a market; undefined where it holds nothing. */
export async function extentOf(
  lake: S3Lake,
  { exchange, category }: Market,
): Promise<{ firstHourMs: number; lastSlotMs: number } | undefined> {
  const days = await lake.folders(tickersPrefix(exchange, category));
  const [firstDay, lastDay] = [days[0], days.at(-1)];
  if (firstDay === undefined || lastDay === undefined) return undefined;
  const [firstHours, lastHours] = await Promise.all([lake.folders(firstDay), lake.folders(lastDay)]);
  let lastSlotMs: number | undefined;
  for await (const key of lake.keys(lastHours.at(-1) ?? lastDay)) {
    lastSlotMs = Math.max(lastSlotMs ?? 0, parseTickersKey(key)?.slotMs ?? 0);
  }
  if (lastSlotMs === undefined) return undefined;
  return { firstHourMs: hourOf(firstHours[0] ?? firstDay) ?? lastSlotMs, lastSlotMs };
}

function hourOf(folder: string): number | undefined {
  const match = /dt=(\d{4}-\d\d-\d\d)\/(?:hour=(\d\d)\/)?$/.exec(folder);
  return match ? Date.parse(`${match[1]}T${match[2] ?? '00'}:00:00.000Z`) : undefined;
}

/** How far an operation that walks through stretches has come; travels from slice to slice. */
export interface Walk {
  stretches: Stretch[];
  /** Which stretch is under way, … */
  current: number;
  /** … and up to where it is done, epoch ms. */
  nextMs: number;
  doneHours: number;
  totalHours: number;
}

export function beginWalk(stretches: Stretch[]): Walk {
  const totalHours = stretches.reduce((sum, { fromMs, toMs }) => sum + hoursBetween(fromMs, toMs), 0);
  return { stretches, current: 0, nextMs: stretches[0]?.fromMs ?? 0, doneHours: 0, totalHours };
}

/** What is left of the stretch under way; undefined at the end of the walk. */
export function restOf({ stretches, current, nextMs }: Walk): Stretch | undefined {
  const stretch = stretches[current];
  return stretch && { ...stretch, fromMs: nextMs };
}

/** Everything before `untilMs` is done; with the last of a stretch the next one begins. */
export function moveOn(walk: Walk, untilMs: number): void {
  walk.nextMs = untilMs;
  const stretch = walk.stretches[walk.current];
  if (!stretch || untilMs < stretch.toMs) return;
  walk.doneHours += hoursBetween(stretch.fromMs, stretch.toMs);
  walk.current += 1;
  walk.nextMs = walk.stretches[walk.current]?.fromMs ?? 0;
}

/** For a progress bar. */
export function progressOf({ stretches, current, nextMs, doneHours, totalHours }: Walk) {
  const stretch = stretches[current];
  const inside = stretch ? hoursBetween(stretch.fromMs, Math.min(nextMs, stretch.toMs)) : 0;
  return { done: doneHours + inside, total: totalHours, unit: 'hours' };
}

function hoursBetween(fromMs: number, toMs: number): number {
  return Math.max(0, Math.ceil((toMs - fromMs) / HOUR_MS));
}

/** Objects that are read ahead, at most: enough to keep a store busy, little enough for a Lambda's memory. */
const READ_AHEAD = 16;

/** The batches of a stretch in the order of their slots, read ahead. */
export async function* walkBatches(lake: S3Lake, stretch: Stretch): AsyncGenerator<WalkedBatch> {
  const { exchange, category, fromMs, toMs } = stretch;
  const startAfter = fromMs > 0 ? tickersKey({ exchange, category, slotMs: fromMs - 1 }) : undefined;
  const ahead: Promise<WalkedBatch>[] = [];
  try {
    for await (const key of lake.keys(tickersPrefix(exchange, category), startAfter)) {
      const address = parseTickersKey(key);
      if (address && address.slotMs < fromMs) continue;
      if (address && address.slotMs >= toMs) break;
      const batch = address
        ? readBatch(lake, key, address)
        : Promise.resolve({ key, address, lines: [], problem: `${key} is none of our batches` });
      batch.catch(() => undefined); // who awaits it is told
      ahead.push(batch);
      if (ahead.length >= READ_AHEAD) yield await (ahead.shift() as Promise<WalkedBatch>);
    }
    for (const batch of ahead.splice(0)) yield await batch;
  } finally {
    await Promise.allSettled(ahead);
  }
}

async function readBatch(lake: S3Lake, key: string, address: BatchAddress): Promise<WalkedBatch> {
  try {
    return { key, address, lines: (await lake.readLines(key)) ?? [] };
  } catch (error) {
    if (!(error instanceof UnreadableObjectError)) throw error;
    return { key, address, lines: [], problem: error.message };
  }
}
