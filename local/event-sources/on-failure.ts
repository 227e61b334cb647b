import { randomUUID } from 'node:crypto';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { MSKRecord } from 'aws-lambda';
import { retryUntilAborted } from '../../core/runtime/retry.ts';
import { localS3Client } from '../engines/s3-client.ts';
import { nextOffsets } from './batch.ts';
import type { Discard } from './batch-processing.ts';
import { invocationRecord, invocationRecordKey } from './invocation-record.ts';
import { type KafkaEventSourceOptions, originOf } from './options.ts';
import { offsetsByPartition } from './partition-offsets.ts';

/** Gives records up: stores them in the destination or, without one, drops them with an error in the log. */
export class OnFailure {
  readonly #options: KafkaEventSourceOptions;
  readonly #s3: S3Client | undefined;

  constructor(options: KafkaEventSourceOptions) {
    this.#options = options;
    this.#s3 = options.onFailure && localS3Client(options.onFailure.s3Url);
  }

  /** @throws if the signal aborts before the records are stored */
  async discard(records: readonly MSKRecord[], discard: Discard, signal: AbortSignal): Promise<void> {
    const { topic, log } = this.#options;
    const stored = await this.#store(records, discard, signal);
    const fate = stored ? `were given up and stored in ${stored}` : 'are LOST: no on-failure destination';
    log.error(`${records.length} records of "${topic}" ${fate}`, {
      condition: discard.condition,
      invokeCount: discard.invokeCount,
      nextOffsets: offsetsByPartition(nextOffsets(records)),
      ...(discard.error === undefined ? {} : { error: String(discard.error) }),
    });
  }

  close(): void {
    this.#s3?.destroy();
  }

  /** The URI of the stored object; undefined without a destination. */
  async #store(
    records: readonly MSKRecord[],
    discard: Discard,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { onFailure: destination, topic, groupId, functionName = 'function', log } = this.#options;
    if (!destination || !this.#s3) return undefined;
    const s3 = this.#s3;
    const now = new Date();
    const record = invocationRecord(records, discard, {
      ...originOf(this.#options),
      functionName,
      requestId: randomUUID(),
      now,
    });
    const key = invocationRecordKey(groupId, topic, now);
    const object = {
      Bucket: destination.bucket,
      Key: key,
      Body: JSON.stringify(record),
      ContentType: 'application/json',
    };
    await retryUntilAborted(
      signal,
      () => s3.send(new PutObjectCommand(object)),
      (error) => log.warn(`The on-failure destination is unreachable: ${String(error)}`, { key }),
    );
    return `s3://${destination.bucket}/${key}`;
  }
}
