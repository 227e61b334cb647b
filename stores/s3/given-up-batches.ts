import type { S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { UnreadableObjectError } from '../../core/lake/ndjson.ts';
import type { GivenUpBatch, GivenUpBatches } from '../../core/operate/ports.ts';
import { S3Bucket } from './bucket.ts';
import { topicName } from './dead-letters.ts';

/** Where Lambda puts the batches that an event source mapping gives up. */
const GIVEN_UP_BATCHES = 'aws/lambda/';

const mskEvent = z.looseObject({
  records: z.record(
    z.string(),
    z.array(
      z.looseObject({
        topic: topicName,
        partition: z.int(),
        offset: z.int(),
        timestamp: z.number(),
        value: z.string().nullish(),
      }),
    ),
  ),
});

const invocationRecord = z.looseObject({
  timestamp: z.iso.datetime({ offset: true }),
  // Text in the documentation; the event itself is accepted as well.
  payload: z
    .union([z.string().transform((text): unknown => JSON.parse(text)), z.looseObject({})])
    .pipe(mskEvent),
});

/**
 * The on-failure destination of the index function's event source mapping. Each object in it describes what happened
 * and has the whole event in `payload`.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html
 */
export class S3GivenUpBatches implements GivenUpBatches {
  readonly #bucket: S3Bucket;

  constructor(client: S3Client, bucket: string) {
    this.#bucket = new S3Bucket(client, bucket);
  }

  keys(afterKey?: string): AsyncGenerator<string> {
    return this.#bucket.keys(GIVEN_UP_BATCHES, afterKey);
  }

  async read(key: string): Promise<GivenUpBatch> {
    const text = Buffer.from(await this.#bucket.read(key)).toString('utf8');
    try {
      const { timestamp, payload } = invocationRecord.parse(JSON.parse(text));
      const records = Object.values(payload.records).flat();
      return { records, givenUpMs: Date.parse(timestamp) };
    } catch (cause) {
      throw new UnreadableObjectError(key, cause);
    }
  }

  async delete(key: string): Promise<void> {
    await this.#bucket.delete(key);
  }
}
