import * as z from 'zod';
import { DEAD_LETTERS, S3DeadLetters } from '../../stores/s3/dead-letters.ts';
import { GIVEN_UP_BATCHES, S3GivenUpBatches } from '../../stores/s3/given-up-batches.ts';
import { decodeValue } from '../index/decode.ts';
import { indexBatch } from '../index/index-batch.ts';
import type { DeadLetter, IndexDocument } from '../index/ports.ts';
import { UnreadableObjectError } from '../lake/ndjson.ts';
import type { Operation, OperationServices, Slice } from './operation.ts';

const inputSchema = z.strictObject({
  /** Only letters first seen, and batches given up, at this time or later, ISO 8601. @default all */
  since: z.iso.datetime({ offset: true, error: 'expected an ISO 8601 time' }).optional(),
  /** Only says what it would do. @default false */
  dryRun: z.boolean().optional(),
});

/** What one slice did. */
export interface RedriveOutput {
  /** Batches that Lambda had given up, … */
  batches: number;
  /** … and the records in them. */
  batchRecords: number;
  letters: number;
  /** Records of either kind that were indexed now, … */
  indexed: number;
  /** … or had been before. */
  alreadyThere: number;
  /** Tickers that were tried, or in a dry run would be. */
  tried: number;
  /** What stays a dead letter, or becomes one, with why. */
  stay: { position: string; errorType: string; reason: string }[];
  /** Objects that are neither; left as they are. */
  problems: string[];
}

interface RedriveCursor {
  /** The last key that is done. */
  afterKey: string;
  done: number;
}

/** OpenSearch took some of the records neither way. */
export class RedriveStoppedError extends Error {
  override readonly name = 'RedriveStoppedError';
}

/** How long one object may take, beyond the slice's own time. */
const OBJECT_MS = 20_000;

/**
 * Indexes again what was left aside:
 *
 * - batches that Lambda gave up, from the on-failure destination of the event source mapping. Their records are
 *   handled as the index function would have: into the index, or to the dead letters; then the batch is deleted.
 * - dead letters. Those that go in move to `redriven/`, those that are refused again stay, with their new reason.
 *
 * Killed in between, it is done again: what went in is there already, which counts as in.
 */
export const redrive: Operation<z.infer<typeof inputSchema>, RedriveOutput> = {
  name: 'redrive',
  input: inputSchema,
  async slice(input, cursor, services, { deadlineMs }): Promise<Slice<RedriveOutput>> {
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
    const keys: string[] = [];
    // In the order of their names, which the cursor counts on.
    for (const folder of [GIVEN_UP_BATCHES, DEAD_LETTERS]) {
      for await (const key of services.lake.keys(folder, afterKey || undefined)) keys.push(key);
    }
    const total = doneBefore + keys.length;
    for (const [index, key] of keys.entries()) {
      const redriveObject = key.startsWith(GIVEN_UP_BATCHES) ? redriveBatch : redriveLetters;
      await redriveObject(key, input, services, Math.max(deadlineMs, Date.now()) + OBJECT_MS, output);
      const done = doneBefore + index + 1;
      if (done < total && Date.now() >= deadlineMs) {
        return { cursor: { afterKey: key, done }, progress: { done, total, unit: 'objects' }, output };
      }
    }
    return { progress: { done: total, total, unit: 'objects' }, output };
  },
};

async function redriveBatch(
  key: string,
  { since, dryRun }: z.infer<typeof inputSchema>,
  { index, s3, bucket, log }: OperationServices,
  deadlineMs: number,
  output: RedriveOutput,
): Promise<void> {
  const batches = new S3GivenUpBatches(s3, bucket);
  const batch = await batches.read(key).catch((error: unknown) => {
    if (error instanceof UnreadableObjectError) output.problems.push(error.message);
    else throw error;
  });
  if (!batch || (since !== undefined && batch.givenUpMs < Date.parse(since))) return;
  output.batches += 1;
  output.batchRecords += batch.records;
  if (dryRun) return;

  const letters = new S3DeadLetters(s3, bucket);
  const deadLetters = {
    async put(kept: readonly DeadLetter[]) {
      await letters.put(kept);
      output.stay.push(...kept.map(staying));
    },
  };
  const records = Object.values(batch.event.records).flat();
  const report = await indexBatch(records, deadlineMs, { index, deadLetters, log, now: Date.now });
  output.tried += report.records;
  output.indexed += report.indexed;
  output.alreadyThere += report.alreadyThere;
  if (report.unstored.length > 0) throw notAsked(key, report.firstReason);
  await batches.delete(key);
}

function staying({
  topic,
  partition,
  offset,
  error_type,
  reason,
}: DeadLetter): RedriveOutput['stay'][number] {
  return { position: `${topic}-${partition}-${offset}`, errorType: error_type, reason };
}

function notAsked(key: string, reason: string | undefined): RedriveStoppedError {
  return new RedriveStoppedError(
    `OpenSearch could not be asked about all records of ${key}: ${reason}. They stay; try again when it is well.`,
  );
}

async function redriveLetters(
  key: string,
  { since, dryRun }: z.infer<typeof inputSchema>,
  { lake, index, s3, bucket }: OperationServices,
  deadlineMs: number,
  output: RedriveOutput,
): Promise<void> {
  const letters = await readLetters(key, lake, output);
  if (!letters) return;
  const sinceMs = since === undefined ? 0 : Date.parse(since);
  const [due, tooOld] = [
    letters.filter(({ first_seen }) => Date.parse(first_seen) >= sinceMs),
    letters.filter(({ first_seen }) => !(Date.parse(first_seen) >= sinceMs)),
  ];
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
  const wentIn: DeadLetter[] = [];
  for (const [position, { letter }] of tickers.entries()) {
    const outcome = outcomes[position];
    switch (outcome?.kind) {
      case 'stored':
        output.indexed += 1;
        wentIn.push(letter);
        break;
      case 'alreadyThere':
        output.alreadyThere += 1;
        wentIn.push(letter);
        break;
      case 'refused':
        keep(letter, outcome.errorType, outcome.reason);
        break;
      default:
        throw notAsked(key, outcome?.reason);
    }
  }
  const unchanged = wentIn.length === 0 && stay.every(({ reason }, at) => reason === due[at]?.reason);
  if (!unchanged) await new S3DeadLetters(s3, bucket).move(key, wentIn, [...tooOld, ...stay]);
}

const letterSchema = z.looseObject({
  v: z.literal(1),
  topic: z.string(),
  partition: z.int(),
  offset: z.int(),
  value_base64: z.string().nullable(),
  produced_at: z.iso.datetime(),
  first_seen: z.iso.datetime(),
});

/** The letters of an object; undefined where it holds anything else. */
async function readLetters(
  key: string,
  lake: OperationServices['lake'],
  { problems }: RedriveOutput,
): Promise<DeadLetter[] | undefined> {
  try {
    const lines = (await lake.readLines(key)) ?? [];
    return lines.map((line) => letterSchema.parse(JSON.parse(line)) as unknown as DeadLetter);
  } catch (error) {
    if (error instanceof UnreadableObjectError) problems.push(error.message);
    else if (error instanceof SyntaxError || error instanceof z.ZodError) {
      problems.push(`${key} holds something else than dead letters: ${error.message}`);
    } else throw error;
    return undefined;
  }
}
