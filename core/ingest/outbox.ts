import { UnreadableObjectError } from '../lake/ndjson.ts';
import type { Category, Market } from '../market/series.ts';
import { DAY_MS, HOUR_MS } from '../market/time.ts';
import type { Log } from '../runtime/log.ts';
import type { OutboxMarker, TickerLake, TickerSource } from './ports.ts';

/** The outbox of one market: what the stream has acknowledged, and what the lake has beyond that. */
export interface Outbox {
  readonly market: Market;
  /** As stored in the lake. */
  stored: OutboxMarker;
  /** As updated by this poll. */
  marker: OutboxMarker;
  /** Slots (epoch ms) to produce. */
  readonly waiting: Set<number>;
}

/** What is wrong with the outboxes of a poll. */
export interface OutboxProblems {
  /** Markers that cannot be read. */
  unreadable: string[];
  /** Batches that polls will not produce, and the command that does. */
  leftToReplay: string[];
}

export interface OutboxDependencies {
  lake: TickerLake;
  source: Pick<TickerSource, 'name'>;
  log: Log;
  /** How long the index keeps ticks; older ones are left to `replay`. */
  retentionMs: number;
}

/** How far a market without a marker looks back. Older batches may already be on the stream. */
const LOOK_BACK_MS = HOUR_MS;

/**
 * How many of the latest slots are remembered one by one. So a batch that reaches the lake after the next
 * poll has listed it, or whose poll overlapped another, is still seen as missing from the stream.
 */
const REMEMBERED_SLOTS = 10;

/**
 * Beyond this many slots ahead of a backlog, the oldest are forgotten. They are produced again, which is
 * harmless.
 */
const MOST_REMEMBERED = 1_000;

/** The latest slot that the stream acknowledged; if there is none, where the marker began. */
export function latestMs({ throughMs, beyondMs }: OutboxMarker): number {
  return beyondMs.at(-1) ?? throughMs;
}

/** Whether, according to the marker, the stream has acknowledged later slots than some that are waiting. */
export function hasBacklog({ beyondMs }: OutboxMarker): boolean {
  return beyondMs.length > REMEMBERED_SLOTS;
}

/** Notes that the stream acknowledged one of the waiting slots, or one that never had to wait. */
export function acknowledge(outbox: Outbox, slotMs: number, tickers: number): void {
  const { marker, waiting } = outbox;
  waiting.delete(slotMs);
  if (slotMs <= marker.throughMs || marker.beyondMs.includes(slotMs)) return;
  const beyondMs = [...marker.beyondMs, slotMs].sort((a, b) => a - b);
  outbox.marker = { ...marker, beyondMs, ...(slotMs > latestMs(marker) ? { tickers } : {}) };
}

/** The marker to store: everything before the first waiting slot is summed up, but for the latest slots. */
export function summedUp({ marker, waiting }: Outbox): OutboxMarker {
  const beyondMs = [...marker.beyondMs];
  let { throughMs } = marker;
  const firstWaitingMs = [...waiting].reduce(
    (first, each) => Math.min(first, each),
    Number.POSITIVE_INFINITY,
  );
  while (beyondMs.length > REMEMBERED_SLOTS && (beyondMs[0] as number) < firstWaitingMs) {
    throughMs = beyondMs.shift() as number;
  }
  return { ...marker, throughMs, beyondMs: beyondMs.slice(-MOST_REMEMBERED) };
}

/**
 * Reads a market's marker and what the lake has beyond it. A market without a usable marker begins one near this slot. It
 * is stored before anything is produced, so that a long outage of the stream does not move the beginning.
 * @param problems receives what was found
 */
export async function openOutbox(
  market: Market,
  slotMs: number,
  deadlineMs: number,
  { lake, source, log, retentionMs }: OutboxDependencies,
  problems: OutboxProblems,
): Promise<Outbox> {
  const stored = await lake.readMarker(market, deadlineMs, source.name).catch(async (error) => {
    if (!(error instanceof UnreadableObjectError)) throw error;
    const key = await lake.setMarkerAside(error.key, market, slotMs, deadlineMs);
    const problem = `${error.message}. It is kept as ${key}`;
    log.error('An outbox marker cannot be read', { problem });
    problems.unreadable.push(problem);
    return undefined;
  });
  // A day less: records may stay on the stream for a while before they reach the index.
  const lookBackMs = stored ? Math.max(retentionMs - DAY_MS, LOOK_BACK_MS) : LOOK_BACK_MS;
  const oldestMs = slotMs - lookBackMs;
  const inLake = await lake.slotsAfter(market, stored?.throughMs ?? oldestMs - 1, deadlineMs);
  const acknowledged = new Set(stored?.beyondMs);
  const open = inLake.filter((each) => !acknowledged.has(each));
  const firstMs = stored ? open[0] : await lake.firstSlot(market, deadlineMs);
  const isCut = firstMs !== undefined && firstMs < oldestMs;
  if (isCut) {
    const advice = leftToReplay(market, firstMs, oldestMs, stored !== undefined);
    // Logged before the marker is stored; afterwards nothing remembers the backlog.
    log.error('Polls leave a backlog to replay', { advice });
    problems.leftToReplay.push(advice);
  }
  const marker = stored && !isCut ? stored : beginAt(oldestMs - 1, stored);
  if (marker !== stored) await lake.writeMarker(market, marker, deadlineMs);
  return { market, stored: marker, marker, waiting: new Set(open.filter((each) => each >= oldestMs)) };
}

function beginAt(throughMs: number, before: OutboxMarker | undefined): OutboxMarker {
  const beyondMs = before?.beyondMs.filter((each) => each > throughMs) ?? [];
  return { ...before, throughMs, beyondMs };
}

function leftToReplay(market: Market, fromMs: number, toMs: number, hadMarker: boolean): string {
  const { exchange, category } = market;
  const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
  const why = hadMarker
    ? 'the stream has not acknowledged, but they are as old as the index’s retention'
    : 'the stream may not have: there was no outbox marker';
  return `The lake has ${exchange} ${category} batches from ${from} to ${to} that ${why}. Polls do not produce them; "npm run replay -- --exchange ${exchange} --from ${from} --to ${to}" does (with --stage for a deployed stage)`;
}

export function outboxOf(outboxes: readonly Outbox[], category: Category): Outbox {
  const found = outboxes.find(({ market }) => market.category === category);
  if (!found) throw new Error(`There is no outbox of ${category}`);
  return found;
}
