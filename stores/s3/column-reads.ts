import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  type ByteRange,
  type ColumnReads,
  type ListedObject,
  ObjectChangedError,
  type OpenedObject,
} from '../../core/columns/selection.ts';
import { S3Bucket } from './bucket.ts';
import { isNoSuchObject, lakeUnavailable, s3Status } from './errors.ts';

/** A connection that sends nothing for this long is given up. */
const SILENCE_MS = 20_000;

/** Reads the lake's Parquet files and manifests in an S3 bucket. Its methods throw LakeUnavailableError. */
export class S3ColumnReads implements ColumnReads {
  readonly #client: S3Client;
  readonly #bucket: S3Bucket;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = new S3Bucket(client, bucket);
  }

  list(prefix: string, startAfter?: string): AsyncIterable<ListedObject> {
    return this.#bucket.list(prefix, startAfter);
  }

  folders(prefix: string): Promise<string[]> {
    return this.#bucket.folders(prefix);
  }

  async open(
    key: string,
    { range, etag, signal }: { range?: ByteRange; etag?: string | undefined; signal: AbortSignal },
  ): Promise<OpenedObject> {
    const given = new AbortController();
    const abortSignal = AbortSignal.any([signal, given.signal]);
    const command = new GetObjectCommand({
      Bucket: this.#bucket.name,
      Key: key,
      IfMatch: etag,
      Range: range && rangeHeader(range),
    });
    try {
      const { Body, ETag = '' } = await this.#client.send(command, { abortSignal });
      const failed = (error: unknown) => this.#failure(key, error, signal);
      return { etag: ETag, body: watched(Body as AsyncIterable<Uint8Array>, given, failed) };
    } catch (error) {
      throw this.#failure(key, error, signal);
    }
  }

  #failure(key: string, error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    // 416: it has become shorter than it was.
    if (isNoSuchObject(error) || [412, 416].includes(s3Status(error) ?? 0)) {
      return new ObjectChangedError(key, error);
    }
    return lakeUnavailable(this.#bucket.name, `${key} could not be read`, error);
  }
}

function rangeHeader({ start, end }: ByteRange): string {
  return start === undefined ? `bytes=-${end}` : `bytes=${start}-${end - 1}`;
}

/** Wraps a body: names its failures, and fails if no more data arrives. */
async function* watched(
  body: AsyncIterable<Uint8Array>,
  given: AbortController,
  failed: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  const giveUp = () => given.abort(new Error(`nothing came for ${SILENCE_MS / 1_000} s`));
  const timer = setTimeout(giveUp, SILENCE_MS);
  try {
    for await (const chunk of body) {
      timer.refresh();
      yield chunk;
    }
  } catch (error) {
    throw failed(given.signal.aborted ? given.signal.reason : error);
  } finally {
    clearTimeout(timer);
  }
}
