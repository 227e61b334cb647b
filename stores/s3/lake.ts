import { inspect } from 'node:util';
import type { S3Client } from '@aws-sdk/client-s3';
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
import type { LakeObjects } from '../../core/operate/ports.ts';
import { S3Bucket } from './bucket.ts';

/** The lake in an S3 bucket. */
export class S3Lake implements TickerLake, LakeObjects {
  readonly #bucket: S3Bucket;

  constructor(client: S3Client, bucket: string) {
    this.#bucket = new S3Bucket(client, bucket);
  }

  async putTickers(
    address: BatchAddress,
    lines: readonly string[],
  ): Promise<{ bytes: number } | 'alreadyThere'> {
    const body = await packLines(lines);
    const outcome = await this.#bucket.create(tickersKey(address), body, 'application/gzip');
    return outcome === 'created' ? { bytes: body.length } : outcome;
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

  keys(prefix: string, startAfter?: string): AsyncGenerator<string> {
    return this.#bucket.keys(prefix, startAfter);
  }

  folders(prefix: string): Promise<string[]> {
    return this.#bucket.folders(prefix);
  }

  async readLines(key: string): Promise<string[] | undefined> {
    const body = await this.#bucket.readIfThere(key);
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
    const body = await packLines(records.map(rejectedLine));
    await this.#bucket.write(rejectedKey(address, receivedAtMs), body, 'application/gzip');
  }

  async readOutbox(source: string): Promise<OutboxMarker> {
    const body = await this.#bucket.readIfThere(stateKey(source));
    return body ? JSON.parse(Buffer.from(body).toString('utf8')) : { v: 1, acknowledged: {} };
  }

  async writeOutbox(source: string, marker: OutboxMarker): Promise<void> {
    await this.#bucket.write(stateKey(source), JSON.stringify(marker), 'application/json');
  }
}

/** JSON can be read with deeper nesting than it can be written. */
function rejectedLine(record: Rejected): string {
  try {
    return JSON.stringify(record);
  } catch (error) {
    const value_text = 'value' in record ? inspect(record.value, { depth: 20, breakLength: Infinity }) : '';
    const why = `its value cannot be written as JSON (${(error as Error).message})`;
    return JSON.stringify({ ...record, value: undefined, value_text, reason: `${record.reason}; ${why}` });
  }
}
