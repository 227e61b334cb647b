import { hasBacklog } from '../../ingest/outbox.ts';
import { MARKERS, parseMarkerKey } from '../../lake/ticker-objects.ts';
import { marketsIn, samplingIntervalOf } from '../../market/sampling.ts';
import { extentOf, marketsOf } from '../lake-walk.ts';
import type { OperationServices } from '../operation.ts';
import { fail, ok, type Result, warn } from './check.ts';

/** A market is late after this many polls without data, … */
const LATE_POLLS = 3;
/** … and something is broken after this many. */
const VERY_LATE_POLLS = 9;
const MOST_OBJECTS = 1_000;
const EMPTY_LAKE = warn('the lake is empty', 'Wait for the first poll.');

/** By the outbox markers: the last slot of each market that the stream acknowledged, and from where on it has gaps. */
export async function checkIngested({ lake }: Pick<OperationServices, 'lake'>): Promise<Result> {
  const found: string[] = [];
  const behind: string[] = [];
  for await (const key of lake.keys(MARKERS)) {
    const market = parseMarkerKey(key);
    const marker = market && (await lake.readMarker(market));
    const slotMs = marker?.beyondMs.at(-1);
    if (!market || !marker || slotMs === undefined) continue;
    const name = `${market.exchange} ${market.category}`;
    found.push(`${name} ${new Date(slotMs).toISOString()} (${marker.tickers ?? 0} tickers)`);
    if (hasBacklog(marker)) behind.push(`${name} after ${new Date(marker.throughMs).toISOString()}`);
  }
  if (behind.length > 0) {
    return warn(
      `${found.join('; ')}. Batches wait for the stream: ${behind.join('; ')}`,
      'Each poll produces some of them. Run doctor again in a few minutes: these times should have advanced.',
    );
  }
  if (found.length > 0) return ok(found.join('; '));
  return warn(
    'no poll has been acknowledged yet',
    'Wait for the first poll, or check the errors of the ingest function.',
  );
}

/** The last slot of each market in the index, and how far that is behind the lake. */
export async function checkIndexed({
  lake,
  tickerIds,
}: Pick<OperationServices, 'lake' | 'tickerIds'>): Promise<Result> {
  await tickerIds.refresh();
  const behind: string[] = [];
  const found: string[] = [];
  for (const market of await marketsOf(lake)) {
    const name = `${market.exchange} ${market.category}`;
    const inLakeMs = (await extentOf(lake, market))?.lastMs ?? 0;
    const indexedMs = await tickerIds.newestSlot(market);
    if (indexedMs === undefined) behind.push(`${name}: nothing`);
    else if (indexedMs < inLakeMs) behind.push(`${name} ${inMinutes(inLakeMs - indexedMs)} behind the lake`);
    else found.push(`${name} ${new Date(indexedMs).toISOString()}`);
  }
  if (behind.length > 0) {
    return warn(
      behind.join('; '),
      'Check the consumer lag. "verify" finds what stays missing, "replay" repairs it.',
    );
  }
  return found.length > 0 ? ok(found.join('; ')) : EMPTY_LAKE;
}

/** Each market by its own sampling interval, so that one that has stopped is not hidden by the others. */
export async function checkFreshness(
  { lake, exchanges, summaries }: Pick<OperationServices, 'lake' | 'exchanges' | 'summaries'>,
  nowMs: number,
  collecting: boolean,
): Promise<Result> {
  const intervals = summaries.samplingIntervals;
  const polled = exchanges ? marketsIn(intervals, exchanges) : await marketsOf(lake);
  if (polled.length === 0) return EMPTY_LAKE;
  const ages = await Promise.all(
    polled.map(async (market) => {
      const name = `${market.exchange} ${market.category}`;
      const slotMs = (await extentOf(lake, market))?.lastMs;
      // In a replay the data may be ahead of a `now` that was read earlier.
      const ageMs = Math.max(0, nowMs - (slotMs ?? 0));
      const text = slotMs === undefined ? `${name}: nothing` : `${name}: ${inMinutes(ageMs)} old`;
      return { polls: ageMs / samplingIntervalOf(market, intervals), text };
    }),
  );
  const finding = `the last slots at ${new Date(nowMs).toISOString()}: ${ages.map(({ text }) => text).join(', ')}`;
  const polls = Math.max(...ages.map((each) => each.polls));
  if (polls <= LATE_POLLS) return ok(finding);
  if (!collecting) return warn(finding, 'Nothing is collected at the moment.');
  const advice = 'Check the errors of the ingest function, and its schedule.';
  return polls <= VERY_LATE_POLLS ? warn(finding, advice) : fail(finding, advice);
}

export async function checkSetAside({
  deadLetters,
  givenUpBatches,
}: Pick<OperationServices, 'deadLetters' | 'givenUpBatches'>): Promise<Result> {
  const [letters, batches] = await Promise.all([count(deadLetters.keys()), count(givenUpBatches.keys())]);
  if (letters === 0 && batches === 0) return ok('none');
  const text = (objects: number) => (objects >= MOST_OBJECTS ? `${MOST_OBJECTS} or more` : String(objects));
  return warn(
    `dead letters in ${text(letters)} objects, batches that Lambda gave up: ${text(batches)}`,
    '"redrive --dry-run" shows why; after the fix "redrive" indexes them.',
  );
}

async function count(keys: AsyncIterable<string>): Promise<number> {
  let objects = 0;
  for await (const _ of keys) {
    objects += 1;
    if (objects >= MOST_OBJECTS) break;
  }
  return objects;
}

function inMinutes(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;
}
