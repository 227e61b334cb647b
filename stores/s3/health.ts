import { randomUUID } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import type { LakeHealth } from '../../core/operate/ports.ts';
import { S3Bucket } from './bucket.ts';

/** Away from everything that the pipeline reads. */
const PROBE_KEY = 'probe/doctor';

export class S3LakeHealth implements LakeHealth {
  readonly bucket: string;
  readonly #objects: S3Bucket;

  constructor(client: S3Client, bucket: string) {
    this.bucket = bucket;
    this.#objects = new S3Bucket(client, bucket);
  }

  async probe(): Promise<boolean> {
    const written = randomUUID();
    await this.#objects.write(PROBE_KEY, written, 'text/plain');
    const read = Buffer.from(await this.#objects.read(PROBE_KEY)).toString('utf8');
    await this.#objects.delete(PROBE_KEY);
    return read === written;
  }
}
