import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import {
  type BatchAddress,
  parseTickersKey,
  rejectedKey,
  stateKey,
  tickersKey,
  tickersPrefix,
} from '../domain/lake-layout.ts';
import { packLines, unpackLines } from '../domain/ndjson.ts';
import { retryUntilDeadline } from '../domain/retry.ts';
import type { Category, Rejected } from '../domain/ticker.ts';
import type { OutboxMarker, TickerLake } from '../ingest/ports.ts';

/** How long two writers of one batch may stand in each other's way. */
const CONFLICT_WAIT_MS = 5_000;

/** The lake in an S3 bucket. */
export class S3Lake implements TickerLake {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async putTickers(address: BatchAddress, lines: readonly string[]): Promise<'stored' | 'alreadyThere'> {
    const Body = await packLines(lines);
    const put = async () => {
      try {
        await this.#put(tickersKey(address), Body, 'application/gzip', { IfNoneMatch: '*' });
        return 'stored';
      } catch (error) {
        if (statusOf(error) === 412) return 'alreadyThere';
        throw error;
      }
    };
    return retryUntilDeadline(put, {
      deadlineMs: Date.now() + CONFLICT_WAIT_MS,
      initialDelayMs: 50,
      maxDelayMs: 500,
      // 409: another conditional write of the same key is under way; ask again which of us won.
      isRetryable: (error) => statusOf(error) === 409,
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
    for await (const page of pages) {
      for (const { Key } of page.Contents ?? []) if (Key) yield Key;
    }
  }

  /** The lines of a gzip NDJSON object; undefined where there is none. */
  async readLines(key: string): Promise<string[] | undefined> {
    const body = await this.#get(key);
    return body && unpackLines(body);
  }

  async putRejected(
    address: BatchAddress,
    receivedAtMs: number,
    records: readonly Rejected[],
  ): Promise<void> {
    const body = await packLines(records.map((record) => JSON.stringify(record)));
    await this.#put(rejectedKey(address, receivedAtMs), body, 'application/gzip');
  }

  async readOutbox(source: string): Promise<OutboxMarker> {
    const body = await this.#get(stateKey(source));
    return body ? JSON.parse(Buffer.from(body).toString('utf8')) : { v: 1, acknowledged: {} };
  }

  async writeOutbox(source: string, marker: OutboxMarker): Promise<void> {
    await this.#put(stateKey(source), Buffer.from(JSON.stringify(marker)), 'application/json');
  }

  async #put(Key: string, Body: Buffer, ContentType: string, condition: { IfNoneMatch?: '*' } = {}) {
    await this.#client.send(
      new PutObjectCommand({ Bucket: this.#bucket, Key, Body, ContentType, ...condition }),
    );
  }

  async #get(Key: string): Promise<Uint8Array | undefined> {
    let output: GetObjectCommandOutput;
    try {
      output = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key }));
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
    return output.Body?.transformToByteArray();
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}
