import { createHash } from 'node:crypto';
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { DeadLetter, DeadLetters } from '../../core/index/ports.ts';
import { packLines } from '../../core/lake/ndjson.ts';
import { lakeUnavailable, s3Status } from './errors.ts';

/** Where dead letters wait, and where they go once they were indexed. */
export const DEAD_LETTERS = 'dead-letters/';
const REDRIVEN = 'redriven/';

/**
 * Dead letters in the lake's bucket: `dead-letters/dt=YYYY-MM-DD/<topic>-<partition>-<offset>-<hash>.ndjson.gz`,
 * one object an invocation, named by the day on which its first record was produced, that record's position and a
 * hash of all positions. So the same letters that come again have the same key, on whatever day they come: the
 * object that is there stays, with the time at which they were first seen.
 */
export class S3DeadLetters implements DeadLetters {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async put(letters: readonly DeadLetter[]): Promise<void> {
    const [first] = letters;
    if (!first) return;
    const key = keyOf(DEAD_LETTERS, first, letters);
    try {
      await this.#put(key, letters, { IfNoneMatch: '*' });
    } catch (error) {
      if (s3Status(error) === 412) return; // an earlier delivery kept them
      throw lakeUnavailable(this.#bucket, `The dead letters ${key} could not be written`, error);
    }
  }

  /**
   * Takes letters out of their object: those that went in are kept under `redriven/`, the others stay. Killed in
   * between, it leaves letters in both places, where taking them out again finds them.
   * @param key of the object
   */
  async move(key: string, wentIn: readonly DeadLetter[], stay: readonly DeadLetter[]): Promise<void> {
    try {
      const [first] = wentIn;
      if (first) await this.#put(keyOf(REDRIVEN, first, wentIn), wentIn);
      if (stay.length > 0) await this.#put(key, stay);
      else await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }));
    } catch (error) {
      throw lakeUnavailable(this.#bucket, `The dead letters ${key} could not be moved`, error);
    }
  }

  async #put(Key: string, letters: readonly DeadLetter[], condition: { IfNoneMatch?: '*' } = {}) {
    const Body = await packLines(letters.map((letter) => JSON.stringify(letter)));
    await this.#client.send(
      new PutObjectCommand({
        Bucket: this.#bucket,
        Key,
        Body,
        ContentType: 'application/gzip',
        ...condition,
      }),
    );
  }
}

function keyOf(root: string, first: DeadLetter, letters: readonly DeadLetter[]): string {
  const positions = letters.map(({ topic, partition, offset }) => `${topic}-${partition}-${offset}`);
  const hash = createHash('sha256').update(positions.join()).digest('hex').slice(0, 12);
  return `${root}dt=${first.produced_at.slice(0, 10)}/${positions[0]}-${hash}.ndjson.gz`;
}
