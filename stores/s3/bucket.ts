import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { BACKOFFS, S3_CONFLICT_MS, S3_FILE_RETRY_MS } from '../../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import { withinTime } from '../../core/runtime/wait.ts';
import { isNoSuchObject, lakeUnavailable, s3Status } from './errors.ts';

type ContentType = 'application/gzip' | 'application/json' | 'application/vnd.apache.parquet' | 'text/plain';

/** An object as S3 lists it. */
export interface ListedObject {
  key: string;
  etag: string;
  writtenMs: number;
}

/**
 * The lake's bucket. Every method throws LakeUnavailableError with S3's own error as its cause, also if a request is not
 * answered by `deadlineMs` (epoch ms). Without a deadline only the client's own timeouts count.
 */
export class S3Bucket {
  readonly name: string;
  readonly #client: S3Client;

  constructor(client: S3Client, name: string) {
    this.#client = client;
    this.name = name;
  }

  async read(Key: string, deadlineMs?: number): Promise<Uint8Array> {
    return this.#named(`${Key} could not be read`, () =>
      before(deadlineMs, async (abort) => {
        const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.name, Key }), abort);
        return (await Body?.transformToByteArray()) ?? new Uint8Array();
      }),
    );
  }

  /** Undefined if there is no such object. */
  async readIfThere(key: string, deadlineMs?: number): Promise<Uint8Array | undefined> {
    try {
      return await this.read(key, deadlineMs);
    } catch (error) {
      if (isNoSuchObject((error as Error).cause)) return undefined;
      throw error;
    }
  }

  async write(key: string, body: Uint8Array | string, type: ContentType, deadlineMs?: number): Promise<void> {
    await this.#named(`${key} could not be written`, () => this.#put(key, body, type, deadlineMs));
  }

  /** Copies an object, however large, to the local disk. */
  async readFile(Key: string, path: string): Promise<void> {
    const get = async () => {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.name, Key }));
      if (Body) await pipeline(Body as Readable, createWriteStream(path));
    };
    await this.#named(`${Key} could not be read`, () => retryFile(get));
  }

  /** Writes a file, however large. @returns the object's ETag */
  async writeFile(key: string, path: string, type: ContentType): Promise<string> {
    const { size } = await stat(path);
    const put = async () => {
      // A stream can be sent only once, so the client cannot retry by itself.
      const Body = createReadStream(path);
      const object = { Bucket: this.name, Key: key, Body, ContentLength: size, ContentType: type };
      try {
        const { ETag = '' } = await this.#client.send(new PutObjectCommand(object));
        return ETag;
      } finally {
        Body.destroy();
      }
    };
    return this.#named(`${key} could not be written`, () => retryFile(put));
  }

  /**
   * Writes an object unless one exists.
   * @param lock for a bucket with Object Lock: until when nobody may delete this version
   */
  async create(
    key: string,
    body: Uint8Array,
    type: ContentType,
    deadlineMs?: number,
    lock: Pick<PutObjectCommandInput, 'ObjectLockMode' | 'ObjectLockRetainUntilDate'> = {},
  ): Promise<'created' | 'alreadyThere'> {
    const put = async () => {
      try {
        await this.#put(key, body, type, deadlineMs, { IfNoneMatch: '*', ...lock });
        return 'created' as const;
      } catch (error) {
        if (s3Status(error) === 412) return 'alreadyThere' as const;
        throw error;
      }
    };
    return this.#named(`${key} could not be written`, () =>
      retryUntilDeadline(put, {
        deadlineMs: Math.min(deadlineMs ?? Number.POSITIVE_INFINITY, Date.now() + S3_CONFLICT_MS),
        ...BACKOFFS.s3Conflict,
        // 409: another conditional write of the same key is under way; ask again which of the two won.
        isRetryable: (error) => s3Status(error) === 409,
      }),
    );
  }

  async delete(Key: string): Promise<void> {
    await this.#named(`${Key} could not be deleted`, () =>
      this.#client.send(new DeleteObjectCommand({ Bucket: this.name, Key })),
    );
  }

  /** Objects under a prefix, keys ascending; only those after `startAfter` if it is given. */
  async *list(prefix: string, startAfter?: string, deadlineMs?: number): AsyncGenerator<ListedObject> {
    const scope = { Bucket: this.name, Prefix: prefix };
    let from: { StartAfter?: string; ContinuationToken?: string } = startAfter
      ? { StartAfter: startAfter }
      : {};
    try {
      for (;;) {
        const { Contents = [], NextContinuationToken } = await before(deadlineMs, (abort) =>
          this.#client.send(new ListObjectsV2Command({ ...scope, ...from }), abort),
        );
        for (const { Key, ETag: etag = '', LastModified } of Contents) {
          if (Key) yield { key: Key, etag, writtenMs: LastModified?.getTime() ?? 0 };
        }
        if (NextContinuationToken === undefined) return;
        from = { ContinuationToken: NextContinuationToken };
      }
    } catch (error) {
      throw lakeUnavailable(this.name, `${prefix} could not be listed`, error);
    }
  }

  async *keys(prefix: string, startAfter?: string, deadlineMs?: number): AsyncGenerator<string> {
    for await (const { key } of this.list(prefix, startAfter, deadlineMs)) yield key;
  }

  /** The folders directly inside a folder, ascending, as full paths with a trailing slash. */
  async folders(prefix: string): Promise<string[]> {
    const command = { Bucket: this.name, Prefix: prefix, Delimiter: '/' };
    return this.#named(`${prefix} could not be listed`, async () => {
      const folders: string[] = [];
      for await (const { CommonPrefixes = [] } of paginateListObjectsV2({ client: this.#client }, command)) {
        for (const { Prefix } of CommonPrefixes) if (Prefix) folders.push(Prefix);
      }
      return folders.sort();
    });
  }

  async #put(
    Key: string,
    Body: Uint8Array | string,
    ContentType: ContentType,
    deadlineMs: number | undefined,
    more: Partial<PutObjectCommandInput> = {},
  ): Promise<void> {
    const command = new PutObjectCommand({ Bucket: this.name, Key, Body, ContentType, ...more });
    await before(deadlineMs, (abort) => this.#client.send(command, abort));
  }

  async #named<T>(failure: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw lakeUnavailable(this.name, failure, error);
    }
  }
}

function retryFile<T>(attempt: () => Promise<T>): Promise<T> {
  return retryUntilDeadline(attempt, {
    deadlineMs: Date.now() + S3_FILE_RETRY_MS,
    ...BACKOFFS.s3File,
    isRetryable: (error) => (s3Status(error) ?? 500) >= 500,
  });
}

/** Aborts a request that is not answered by the deadline. */
async function before<T>(
  deadlineMs: number | undefined,
  request: (abort: { abortSignal?: AbortSignal }) => Promise<T>,
): Promise<T> {
  if (deadlineMs === undefined) return request({});
  const controller = new AbortController();
  return withinTime(deadlineMs - Date.now(), request({ abortSignal: controller.signal }), () => {
    controller.abort();
    return new Error('no answer in the time of this invocation');
  });
}
