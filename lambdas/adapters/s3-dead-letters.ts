import { createHash } from 'node:crypto';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { packLines } from '../domain/ndjson.ts';
import type { DeadLetter, DeadLetters } from '../index/ports.ts';

/**
 * Dead letters in the lake's bucket: `dead-letters/dt=YYYY-MM-DD/<topic>-<partition>-<offset>-<hash>.ndjson.gz`,
 * one object an invocation, named by its first record and a hash of all positions: the same letters that come
 * again write over themselves, others never do.
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
    const positions = letters.map(({ topic, partition, offset }) => `${topic}-${partition}-${offset}`);
    const hash = createHash('sha256').update(positions.join()).digest('hex').slice(0, 12);
    await this.#client.send(
      new PutObjectCommand({
        Bucket: this.#bucket,
        Key: `dead-letters/dt=${first.first_seen.slice(0, 10)}/${positions[0]}-${hash}.ndjson.gz`,
        Body: await packLines(letters.map((letter) => JSON.stringify(letter))),
        ContentType: 'application/gzip',
      }),
    );
  }
}
