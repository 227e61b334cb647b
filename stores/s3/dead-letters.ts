import { createHash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import type { DeadLetter } from '../../core/index/ports.ts';
import { packLines, UnreadableObjectError, unpackLines } from '../../core/lake/ndjson.ts';
import type { DeadLetterArchive } from '../../core/operate/ports.ts';
import { S3Bucket } from './bucket.ts';

/** Where dead letters wait, … */
const DEAD_LETTERS = 'dead-letters/';
/** … and where they go once they are indexed. */
const REDRIVEN = 'redriven/';

/** Kafka's rule. A longer name would not fit into a key, and fail every attempt to write one. */
export const topicName = z.string().regex(/^[\w.-]{1,249}$/);

const deadLetter = z
  .object({
    v: z.literal(1),
    topic: topicName,
    partition: z.int(),
    offset: z.int(),
    value_base64: z.string().nullable(),
    produced_at: z.iso.datetime(),
    first_seen: z.iso.datetime(),
  })
  // Unknown fields have to survive being written again, which deep nesting would not.
  .catchall(z.union([z.string(), z.number(), z.boolean(), z.null()]));

/**
 * Dead letters in the lake's bucket: `dead-letters/dt=YYYY-MM-DD/<topic>-<partition>-<offset>-<hash>.ndjson.gz`, one
 * object for each invocation, named by the day on which its first record was produced, that record's position and a hash
 * of all positions. So a redelivery makes the same key on any day, and the existing object stays, with the time at
 * which its letters were first seen.
 */
export class S3DeadLetters implements DeadLetterArchive {
  readonly #bucket: S3Bucket;

  constructor(client: S3Client, bucket: string) {
    this.#bucket = new S3Bucket(client, bucket);
  }

  async put(letters: readonly DeadLetter[], deadlineMs?: number): Promise<void> {
    const [first] = letters;
    if (!first) return;
    const body = await packLetters(letters);
    await this.#bucket.create(keyOf(DEAD_LETTERS, first, letters), body, 'application/gzip', deadlineMs);
  }

  keys(afterKey?: string): AsyncGenerator<string> {
    return this.#bucket.keys(DEAD_LETTERS, afterKey);
  }

  async read(key: string): Promise<DeadLetter[]> {
    const body = await this.#bucket.readIfThere(key);
    if (!body) return []; // another redrive was faster
    try {
      const lines = await unpackLines(body);
      return lines.map((line) => deadLetter.parse(JSON.parse(line)) as unknown as DeadLetter);
    } catch (cause) {
      throw new UnreadableObjectError(key, cause);
    }
  }

  async move(key: string, indexed: readonly DeadLetter[], staying: readonly DeadLetter[]): Promise<void> {
    const [first] = indexed;
    if (first) {
      const body = await packLetters(indexed);
      await this.#bucket.write(keyOf(REDRIVEN, first, indexed), body, 'application/gzip');
    }
    if (staying.length > 0) {
      await this.#bucket.write(key, await packLetters(staying), 'application/gzip');
    } else {
      await this.#bucket.delete(key);
    }
  }
}

function packLetters(letters: readonly DeadLetter[]): Promise<Buffer> {
  return packLines(letters.map((letter) => JSON.stringify(letter)));
}

function keyOf(root: string, first: DeadLetter, letters: readonly DeadLetter[]): string {
  const positions = letters.map(({ topic, partition, offset }) => `${topic}-${partition}-${offset}`);
  const hash = createHash('sha256').update(positions.join()).digest('hex').slice(0, 12);
  return `${root}dt=${first.produced_at.slice(0, 10)}/${positions[0]}-${hash}.ndjson.gz`;
}
