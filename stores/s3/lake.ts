import { inspect } from 'node:util';
import { PutObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import type { OutboxMarker, TickerLake } from '../../core/ingest/ports.ts';
import { packLines, UnreadableObjectError, unpackLines } from '../../core/lake/ndjson.ts';
import {
  type BatchAddress,
  parseTickersKey,
  rejectedKey,
  stateKey,
  tickersKey,
  tickersPrefix,
} from '../../core/lake/ticker-objects.ts';
import type { Category } from '../../core/market/series.ts';
import type { Rejected } from '../../core/market/ticker.ts';
import { BACKOFFS, S3_CONFLICT_MS } from '../../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import { isNoSuchObject, lakeUnavailable, s3Status } from './errors.ts';
import { readObject } from './object.ts';

/** The lake in an S3 bucket. */
export class S3Lake implements TickerLake {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async putTickers(
    address: BatchAddress,
    lines: readonly string[],
  ): Promise<{ bytes: number } | 'alreadyThere'> {
    const Body = await packLines(lines);
    const put = async (): Promise<{ bytes: number } | 'alreadyThere'> => {
      try {
        await this.#put(tickersKey(address), Body, 'application/gzip', { IfNoneMatch: '*' });
        return { bytes: Body.length };
      } catch (error) {
        if (s3Status(error) === 412) return 'alreadyThere';
        throw error;
      }
    };
    const stored = retryUntilDeadline(put, {
      deadlineMs: Date.now() + S3_CONFLICT_MS,
      ...BACKOFFS.s3Conflict,
      // 409: another conditional write of the same key is under way; ask again which of us won.
      isRetryable: (error) => s3Status(error) === 409,
    });
    return stored.catch((error) => {
      throw lakeUnavailable(this.#bucket, `${tickersKey(address)} could not be written`, error);
    });
  }

  readTickers(address: BatchAddress): Promise<string[] | undefined> {
    return this.readLines(tickersKey(address));
  }

  async slotsAfter(exchange: string, category: Category, afterMs: number): Promise<number[]> {
    const slots: number[] = [];
    const startAfter = tickersKey({ exchange, category, slotMs: afterMs });
    for await (const key of this.keys(tickersPrefix(exchange, category), startAfter)) {
      const slotMs = parseTickersKey(key)?.slotMs;
      if (slotMs !== undefined && slotMs > afterMs) slots.push(slotMs);
    }
    return slots.sort((a, b) => a - b);
  }

  /** Every key under a prefix, ascending; those after `startAfter` where it is given. */
  async *keys(prefix: string, startAfter?: string): AsyncGenerator<string> {
    const pages = paginateListObjectsV2(
      { client: this.#client },
      { Bucket: this.#bucket, Prefix: prefix, ...(startAfter ? { StartAfter: startAfter } : {}) },
    );
    try {
      for await (const page of pages) {
        for (const { Key } of page.Contents ?? []) if (Key) yield Key;
      }
    } catch (error) {
      throw lakeUnavailable(this.#bucket, `What lies under ${prefix} could not be listed`, error);
    }
  }

  /** The folders just inside a folder, ascending, each with its whole path and a slash at its end. */
  async folders(prefix: string): Promise<string[]> {
    const pages = paginateListObjectsV2(
      { client: this.#client },
      { Bucket: this.#bucket, Prefix: prefix, Delimiter: '/' },
    );
    const folders: string[] = [];
    try {
      for await (const page of pages) {
        for (const { Prefix } of page.CommonPrefixes ?? []) if (Prefix) folders.push(Prefix);
      }
    } catch (error) {
      throw lakeUnavailable(this.#bucket, `What lies under ${prefix} could not be listed`, error);
    }
    return folders.sort();
  }

  /**
   * The lines of a gzip NDJSON object; undefined where there is none.
   * @throws UnreadableObjectError
   */
  async readLines(key: string): Promise<string[] | undefined> {
    const body = await this.#get(key);
    if (!body) return undefined;
    return unpackLines(body).catch((cause) => {
      throw new UnreadableObjectError(key, cause);
    });
  }

  async putRejected(
    address: BatchAddress,
    receivedAtMs: number,
    records: readonly Rejected[],
  ): Promise<void> {
    const key = rejectedKey(address, receivedAtMs);
    await this.#write(key, await packLines(records.map(rejectedLine)), 'application/gzip');
  }

  async readOutbox(source: string): Promise<OutboxMarker> {
    const body = await this.#get(stateKey(source));
    return body ? JSON.parse(Buffer.from(body).toString('utf8')) : { v: 1, acknowledged: {} };
  }

  async writeOutbox(source: string, marker: OutboxMarker): Promise<void> {
    await this.#write(stateKey(source), Buffer.from(JSON.stringify(marker)), 'application/json');
  }

  async #write(key: string, body: Buffer, contentType: string): Promise<void> {
    await this.#put(key, body, contentType).catch((error) => {
      throw lakeUnavailable(this.#bucket, `${key} could not be written`, error);
    });
  }

  async #put(Key: string, Body: Buffer, ContentType: string, condition: { IfNoneMatch?: '*' } = {}) {
    await this.#client.send(
      new PutObjectCommand({ Bucket: this.#bucket, Key, Body, ContentType, ...condition }),
    );
  }

  async #get(key: string): Promise<Uint8Array | undefined> {
    try {
      return await readObject(this.#client, this.#bucket, key);
    } catch (error) {
      if (isNoSuchObject((error as Error).cause)) return undefined;
      throw error;
    }
  }
}

/** A value may be nested deeper than JSON can be written (it can be read deeper than that). */
function rejectedLine(record: Rejected): string {
  try {
    return JSON.stringify(record);
  } catch (error) {
    const value_text = 'value' in record ? inspect(record.value, { depth: 20, breakLength: Infinity }) : '';
    const why = `its value cannot be written as JSON (${(error as Error).message})`;
    return JSON.stringify({ ...record, value: undefined, value_text, reason: `${record.reason}; ${why}` });
  }
}
