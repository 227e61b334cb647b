import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import {
  CANDLES_PREFIX,
  type CandleObject,
  candleObjectKey,
  candlesPrefixOf,
  parseCandleObjectKey,
} from '../../core/lake/candle-objects.ts';
import { UnreadableObjectError, unpackText } from '../../core/lake/ndjson.ts';
import type { Series } from '../../core/market/series.ts';
import type { CandleHistory, CandleObjectVersion } from '../../core/operate/ports.ts';
import { S3Bucket } from './bucket.ts';

const compress = promisify(gzip);

/** Recorded candles in the lake, exactly as received. */
export class S3CandleHistory implements CandleHistory {
  readonly #bucket: S3Bucket;

  constructor(client: S3Client, bucket: string) {
    this.#bucket = new S3Bucket(client, bucket);
  }

  async put(object: CandleObject, content: string): Promise<void> {
    await this.#bucket.write(candleObjectKey(object), await compress(content), 'application/gzip');
  }

  async list(series?: Series): Promise<CandleObjectVersion[]> {
    const found: (CandleObjectVersion & { key: string })[] = [];
    for await (const { key, writtenMs } of this.#bucket.list(
      series ? candlesPrefixOf(series) : CANDLES_PREFIX,
    )) {
      const object = parseCandleObjectKey(key);
      if (object) found.push({ object, key, writtenMs });
    }
    return found.sort((a, b) => a.writtenMs - b.writtenMs || (a.key < b.key ? -1 : 1));
  }

  async delete(object: CandleObject): Promise<void> {
    await this.#bucket.delete(candleObjectKey(object));
  }

  async read(object: CandleObject): Promise<string> {
    const key = candleObjectKey(object);
    const body = await this.#bucket.read(key);
    try {
      return await unpackText(body);
    } catch (cause) {
      throw new UnreadableObjectError(key, cause);
    }
  }
}
