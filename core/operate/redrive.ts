import * as z from 'zod';
import { decodeValue } from '../index/decode.ts';
import { indexBatch } from '../index/index-batch.ts';
import type { DeadLetter, DeadLetters, DeliveredRecord, StreamPosition } from '../index/ports.ts';
import { UnreadableObjectError } from '../lake/ndjson.ts';
import type { Operation, OperationServices } from './operation.ts';
import { isoTime } from './time-range.ts';

const inputSchema = z.strictObject({
  /** Only letters first seen, and batches given up, at this time or later. @default all */
  since: isoTime.optional(),
  /** Only reports what it would do. @default false */
  dryRun: z.boolean().optional(),
});

/** What one slice did. */
export interface RedriveOutput {
  /** Batches that Lambda gave up, … */
  batches: number;
  /** … and the records in them. */
  batchRecords: number;
  letters: number;
  /** Records of either kind that were indexed now, … */
  indexed: number;
  /** … or were indexed before. */
  alreadyThere: number;
  /** Tickers that were tried, or in a dry run would be. */
  tried: number;
  /** What stays or becomes a dead letter, and why. */
  stay: { position: string; errorType: string; reason: string }[];
  /** Objects left where they are: those that are neither batches nor dead letters, and those that OpenSearch did not finish. */
  problems: string[];
}

interface RedriveCursor {
  /** The last key that is done. */
  afterKey: string;
  done: number;
  /** How many of the last objects could not be finished, one after another. */
  unfinished: number;
}

/** OpenSearch neither stored nor refused some of the records. */
export class RedriveStoppedError extends Error {
  override readonly name = 'RedriveStoppedError';
}

/**
 * This many unfinished objects in a row mean that OpenSearch is unwell, rather than one of the objects bad.
 */
const MOST_UNFINISHED = 3;

/** In one slice: a Lambda can return 6 MB. An object has at most the records of one event. */
const MOST_STAYING = 2_000;

/** How long one object may take beyond the slice's own time. */
const OBJECT_MS = 20_000;

/**
 * Indexes what was set aside:
 *
 * - batches that Lambda gave up, from the on-failure destination of the event source mapping. Their records are treated
 *   as the index function would have: indexed or made dead letters. Then the batch is deleted.
 * - dead letters. Those that are indexed move to `redriven/`; those refused again stay, with the new reason.
 *
 * It may be killed and run again: what is already indexed counts as indexed.
 */
export const redrive: Operation<z.infer<typeof inputSchema>, RedriveOutput> = {
  name: 'redrive',
  input: inputSchema,
  async slice({ since, dryRun = false }, cursor, services, { deadlineMs }) {
    const { deadLetters, givenUpBatches, now } = services;
    const output: RedriveOutput = {
      batches: 0,
      batchRecords: 0,
      letters: 0,
      indexed: 0,
      alreadyThere: 0,
      tried: 0,
      stay: [],
      problems: [],
    };
    const begin: RedriveCursor = { afterKey: '', done: 0, unfinished: 0 };
    const { afterKey, done: doneBefore, ...before } = (cursor as RedriveCursor | undefined) ?? begin;
    // In key order, which the cursor relies on: batches lie before dead letters.
    const objects: { key: string; redriveObject: typeof redriveBatch }[] = [];
    for await (const key of givenUpBatches.keys(afterKey)) objects.push({ key, redriveObject: redriveBatch });
    for await (const key of deadLetters.keys(afterKey)) objects.push({ key, redriveObject: redriveLetters });
    const total = doneBefore + objects.length;
    const sinceMs = since === undefined ? 0 : Date.parse(since);
    let { unfinished } = before;
    for (const [index, { key, redriveObject }] of objects.entries()) {
      const objectDeadlineMs = Math.max(deadlineMs, now()) + OBJECT_MS;
      try {
        await redriveObject(key, { services, output, sinceMs, dryRun, deadlineMs: objectDeadlineMs });
        unfinished = 0;
      } catch (error) {
        unfinished += 1;
        const isPassedOver =
          error instanceof RedriveStoppedError && unfinished < Math.min(MOST_UNFINISHED, total);
        if (!isPassedOver) throw error;
        output.problems.push(error.message);
      }
      const done = doneBefore + index + 1;
      if (done < total && (now() >= deadlineMs || output.stay.length >= MOST_STAYING)) {
        const next: RedriveCursor = { afterKey: key, done, unfinished };
        return { cursor: next, progress: { done, total, unit: 'objects' }, output };
      }
    }
    return { progress: { done: total, total, unit: 'objects' }, output };
  },
};

interface Work {
  services: OperationServices;
  output: RedriveOutput;
  sinceMs: number;
  dryRun: boolean;
  deadlineMs: number;
}

async function redriveBatch(key: string, work: Work): Promise<void> {
  const { services, output, sinceMs, dryRun } = work;
  const batch = await readable(services.givenUpBatches.read(key), output);
  if (!batch || batch.givenUpMs < sinceMs) return;
  output.batches += 1;
  output.batchRecords += batch.records.length;
  if (dryRun) return;
  await index(key, batch.records, services.deadLetters, work);
  output.tried += batch.records.length;
  await services.givenUpBatches.delete(key);
}

async function redriveLetters(key: string, work: Work): Promise<void> {
  const { services, output, sinceMs, dryRun } = work;
  const letters = (await readable(services.deadLetters.read(key), output)) ?? [];
  const isDue = ({ first_seen }: DeadLetter) => Date.parse(first_seen) >= sinceMs;
  const due = letters.filter(isDue);
  output.letters += due.length;
  if (dryRun) return reportDryRun(due, output, services.now());
  if (due.length === 0) return;

  /** By position. */
  const again = new Map<string, DeadLetter>();
  const put = async (kept: readonly DeadLetter[]) => {
    for (const letter of kept) again.set(positionOf(letter), letter);
  };
  const records = due.map(({ topic, partition, offset, value_base64: value, produced_at }) => {
    return { topic, partition, offset, value, timestamp: Date.parse(produced_at) };
  });
  await index(key, records, { put }, work);
  const poison = [...again.values()].filter(({ error_type }) => error_type === 'poison');
  output.tried += due.length - poison.length;
  const stay = due.flatMap((letter) => {
    const { error_type, reason } = again.get(positionOf(letter)) ?? {};
    return error_type && reason ? [{ ...letter, error_type, reason }] : [];
  });
  const isUnchanged =
    stay.length === due.length && stay.every(({ reason }, at) => reason === due[at]?.reason);
  if (isUnchanged) return;
  const indexed = due.filter((letter) => !again.has(positionOf(letter)));
  const tooOld = letters.filter((letter) => !isDue(letter));
  await services.deadLetters.move(key, indexed, [...tooOld, ...stay]);
}

/** Without OpenSearch, only letters that are not tickers are known to stay. */
function reportDryRun(due: readonly DeadLetter[], output: RedriveOutput, nowMs: number): void {
  for (const letter of due) {
    const decoded = decodeValue(letter.value_base64, nowMs);
    if ('reason' in decoded) output.stay.push(staying({ ...letter, error_type: 'poison', ...decoded }));
    else output.tried += 1;
  }
}

/** Indexes records as the index function does. @throws RedriveStoppedError if some were neither stored nor refused */
async function index(
  key: string,
  records: readonly DeliveredRecord[],
  keeper: DeadLetters,
  { services, output, deadlineMs }: Work,
): Promise<void> {
  const { index, log, now } = services;
  const deadLetters: DeadLetters = {
    async put(letters) {
      await keeper.put(letters);
      output.stay.push(...letters.map(staying));
    },
  };
  const report = await indexBatch(records, deadlineMs, { index, deadLetters, log, now });
  output.indexed += report.indexed;
  output.alreadyThere += report.alreadyThere;
  if (report.unstored.length === 0) return;
  throw new RedriveStoppedError(
    `OpenSearch did not answer about all records of ${key}: ${report.firstReason}. They stay; run redrive again when OpenSearch is well.`,
  );
}

/** The content; undefined, and a problem, if it is something else. */
async function readable<T>(reading: Promise<T>, { problems }: RedriveOutput): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof UnreadableObjectError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

function positionOf({ topic, partition, offset }: StreamPosition): string {
  return `${topic}-${partition}-${offset}`;
}

function staying(letter: DeadLetter): RedriveOutput['stay'][number] {
  return { position: positionOf(letter), errorType: letter.error_type, reason: letter.reason };
}
