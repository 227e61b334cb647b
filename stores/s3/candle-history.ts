import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { PutObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import {
  CANDLES_PREFIX,
  type CandleObject,
  candleObjectKey,
  parseCandleObjectKey,
} from '../../core/lake/candle-objects.ts';
import { UnreadableObjectError } from '../../core/lake/ndjson.ts';
import { lakeUnavailable } from './errors.ts';
import { readObject } from './object.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Recorded candles in the lake, as they came. */
export class S3CandleHistory {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  /** @param content what is kept, before it is compressed */
  async put(object: CandleObject, content: Uint8Array | string): Promise<void> {
    const Key = candleObjectKey(object);
    try {
      const Body = await compress(content);
      await this.#client.send(
        new PutObjectCommand({ Bucket: this.#bucket, Key, Body, ContentType: 'application/gzip' }),
      );
    } catch (error) {
      throw lakeUnavailable(this.#bucket, `${Key} could not be written`, error);
    }
  }

  /** Every object there is, the one that was written last at the end: it has the last word. */
  async list(): Promise<CandleObject[]> {
    const found: { object: CandleObject; key: string; writtenMs: number }[] = [];
    try {
      const pages = paginateListObjectsV2(
        { client: this.#client },
        { Bucket: this.#bucket, Prefix: CANDLES_PREFIX },
      );
      for await (const { Contents = [] } of pages) {
        for (const { Key: key = '', LastModified } of Contents) {
          const object = parseCandleObjectKey(key);
          if (object) found.push({ object, key, writtenMs: LastModified?.getTime() ?? 0 });
        }
      }
    } catch (error) {
      throw lakeUnavailable(this.#bucket, `What lies under ${CANDLES_PREFIX} could not be listed`, error);
    }
    found.sort((a, b) => a.writtenMs - b.writtenMs || (a.key < b.key ? -1 : 1));
    return found.map(({ object }) => object);
  }

  /**
   * What was kept.
   * @throws UnreadableObjectError
   */
  async read(object: CandleObject): Promise<string> {
    const Key = candleObjectKey(object);
    const body = await readObject(this.#client, this.#bucket, Key);
    try {
      return (await decompress(body)).toString('utf8');
    } catch (cause) {
      throw new UnreadableObjectError(Key, cause);
    }
  }
}
