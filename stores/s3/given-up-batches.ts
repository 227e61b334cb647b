import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { MSKEvent } from 'aws-lambda';
import * as z from 'zod';
import { UnreadableObjectError } from '../../core/lake/ndjson.ts';
import { lakeUnavailable } from './errors.ts';
import { readObject } from './object.ts';

/** Where Lambda puts the batches that an event source mapping gives up. */
export const GIVEN_UP_BATCHES = 'aws/lambda/';

/** A batch that was given up. */
export interface GivenUpBatch {
  event: MSKEvent;
  records: number;
  /** Epoch ms. */
  givenUpMs: number;
}

const mskEvent = z.looseObject({
  records: z.record(
    z.string(),
    z.array(
      z.looseObject({
        topic: z.string(),
        partition: z.int(),
        offset: z.int(),
        timestamp: z.number(),
        // Of a record without a value.
        value: z.string().nullish(),
      }),
    ),
  ),
});

const invocationRecord = z.looseObject({
  timestamp: z.iso.datetime({ offset: true }),
  // The documentation shows a text; the event itself would be as good.
  payload: z
    .union([z.string().transform((text): unknown => JSON.parse(text)), z.looseObject({})])
    .pipe(mskEvent),
});

/**
 * The on-failure destination of the index function's event source mapping: in an S3 bucket each object holds what
 * happened and, in `payload`, the whole event.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html
 */
export class S3GivenUpBatches {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  /** @throws UnreadableObjectError where the object is no invocation record with its event */
  async read(key: string): Promise<GivenUpBatch> {
    const text = Buffer.from(await readObject(this.#client, this.#bucket, key)).toString('utf8');
    try {
      const { timestamp, payload } = invocationRecord.parse(JSON.parse(text));
      const event = payload as unknown as MSKEvent;
      const records = Object.values(event.records).reduce((sum, { length }) => sum + length, 0);
      return { event, records, givenUpMs: Date.parse(timestamp) };
    } catch (cause) {
      throw new UnreadableObjectError(key, cause);
    }
  }

  /** The bucket's versions keep it for as long as they keep anything. */
  async delete(key: string): Promise<void> {
    try {
      await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }));
    } catch (error) {
      throw lakeUnavailable(this.#bucket, `${key} could not be deleted`, error);
    }
  }
}
