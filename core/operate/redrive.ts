import * as z from 'zod';
import { decodeValue } from '../index/decode.ts';
import { indexBatch } from '../index/index-batch.ts';
import type { DeadLetter, IndexDocument } from '../index/ports.ts';
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
  /** Objects that are neither batches nor dead letters; they are left unchanged. */
  problems: string[];
}

interface RedriveCursor {
  /** The last key that is done. */
  afterKey: string;
  done: number;
}

/** OpenSearch answered neither yes nor no to some of the records. */
export class RedriveStoppedError extends Error {
  override readonly name = 'RedriveStoppedError';
}

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
    const { afterKey, done: doneBefore } = (cursor as RedriveCursor | undefined) ?? { afterKey: '', done: 0 };
    // In key order, which the cursor relies on: batches lie before dead letters.
    const objects: { key: string; redriveObject: typeof redriveBatch }[] = [];
    for await (const key of givenUpBatches.keys(afterKey)) objects.push({ key, redriveObject: redriveBatch });
    for await (const key of deadLetters.keys(afterKey)) objects.push({ key, redriveObject: redriveLetters });
    const total = doneBefore + objects.length;
    const sinceMs = since === undefined ? 0 : Date.parse(since);
    for (const [index, { key, redriveObject }] of objects.entries()) {
      const objectDeadlineMs = Math.max(deadlineMs, now()) + OBJECT_MS;
      await redriveObject(key, { services, output, sinceMs, dryRun, deadlineMs: objectDeadlineMs });
      const done = doneBefore + index + 1;
      if (done < total && now() >= deadlineMs) {
        return { cursor: { afterKey: key, done }, progress: { done, total, unit: 'objects' }, output };
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

async function redriveBatch(key: string, { services, output, sinceMs, dryRun, deadlineMs }: Work) {
  const { givenUpBatches, index, log, now } = services;
  const batch = await readable(givenUpBatches.read(key), output);
  if (!batch || batch.givenUpMs < sinceMs) return;
  output.batches += 1;
  output.batchRecords += batch.records.length;
  if (dryRun) return;

  const deadLetters = {
    async put(letters: readonly DeadLetter[]) {
      await services.deadLetters.put(letters);
      output.stay.push(...letters.map(staying));
    },
  };
  const report = await indexBatch(batch.records, deadlineMs, { index, deadLetters, log, now });
  output.tried += report.records;
  output.indexed += report.indexed;
  output.alreadyThere += report.alreadyThere;
  if (report.unstored.length > 0) throw stopped(key, report.firstReason);
  await givenUpBatches.delete(key);
}

async function redriveLetters(key: string, { services, output, sinceMs, dryRun, deadlineMs }: Work) {
  const { deadLetters, index } = services;
  const letters = await readable(deadLetters.read(key), output);
  if (!letters) return;
  const isDue = ({ first_seen }: DeadLetter) => Date.parse(first_seen) >= sinceMs;
  const due = letters.filter(isDue);
  if (due.length === 0) return;
  output.letters += due.length;

  const stay: DeadLetter[] = [];
  const keep = (letter: DeadLetter, error_type: string, reason: string) => {
    const kept = { ...letter, error_type, reason };
    stay.push(kept);
    output.stay.push(staying(kept));
  };
  const tickers: { letter: DeadLetter; document: IndexDocument }[] = [];
  for (const letter of due) {
    const decoded = decodeValue(letter.value_base64);
    if ('reason' in decoded) keep(letter, 'poison', decoded.reason);
    else tickers.push({ letter, document: decoded });
  }
  output.tried += tickers.length;
  if (dryRun) return;

  const outcomes = await index.create(
    tickers.map(({ document }) => document),
    deadlineMs,
  );
  const indexed: DeadLetter[] = [];
  for (const [position, { letter }] of tickers.entries()) {
    const outcome = outcomes[position];
    switch (outcome?.kind) {
      case 'stored':
        output.indexed += 1;
        indexed.push(letter);
        break;
      case 'alreadyThere':
        output.alreadyThere += 1;
        indexed.push(letter);
        break;
      case 'refused':
        keep(letter, outcome.errorType, outcome.reason);
        break;
      default:
        throw stopped(key, outcome?.reason);
    }
  }
  const unchanged = indexed.length === 0 && stay.every(({ reason }, at) => reason === due[at]?.reason);
  const tooOld = letters.filter((letter) => !isDue(letter));
  if (!unchanged) await deadLetters.move(key, indexed, [...tooOld, ...stay]);
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

function staying(letter: DeadLetter): RedriveOutput['stay'][number] {
  const { topic, partition, offset, error_type, reason } = letter;
  return { position: `${topic}-${partition}-${offset}`, errorType: error_type, reason };
}

function stopped(key: string, reason: string | undefined): RedriveStoppedError {
  return new RedriveStoppedError(
    `OpenSearch did not answer about all records of ${key}: ${reason}. They stay; run redrive again when OpenSearch is well.`,
  );
}
