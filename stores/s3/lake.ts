import { inspect } from 'node:util';
import type { S3Client } from '@aws-sdk/client-s3';
import type { FailureLake, PollFailure } from '../../core/completeness/failures.ts';
import type { Listing, ListingLake } from '../../core/ingest/listings.ts';
import { markerText, parseMarker, parseMarkerOfSource } from '../../core/ingest/marker-text.ts';
import type { OutboxMarker, TickerLake } from '../../core/ingest/ports.ts';
import { failureKey } from '../../core/lake/failure-objects.ts';
import { listingsKey } from '../../core/lake/listing-objects.ts';
import { packLines, UnreadableObjectError, unpackLines } from '../../core/lake/ndjson.ts';
import {
  type BatchAddress,
  markerKey,
  markerKeyOfSource,
  parseTickersKey,
  rejectedKey,
  tickersKey,
  tickersPrefix,
  unreadableMarkerKey,
} from '../../core/lake/ticker-objects.ts';
import type { Market } from '../../core/market/series.ts';
import type { Rejected } from '../../core/market/ticker.ts';
import { DAY_MS } from '../../core/market/time.ts';
import type { LakeObjects } from '../../core/operate/ports.ts';
import { S3Bucket } from './bucket.ts';

/** The lake in an S3 bucket. */
export class S3Lake implements TickerLake, ListingLake, FailureLake, LakeObjects {
  readonly #bucket: S3Bucket;
  readonly #lockMs: number | undefined;

  /** @param lockDays how long nobody may delete the version of a batch; the bucket needs Object Lock. @default no time */
  constructor(client: S3Client, bucket: string, { lockDays }: { lockDays?: number | undefined } = {}) {
    this.#bucket = new S3Bucket(client, bucket);
    this.#lockMs = lockDays === undefined ? undefined : lockDays * DAY_MS;
  }

  async putTickers(
    address: BatchAddress,
    lines: readonly string[],
    deadlineMs?: number,
  ): Promise<{ bytes: number } | 'alreadyThere'> {
    const body = await packLines(lines);
    const key = tickersKey(address);
    const outcome = await this.#bucket.create(key, body, 'application/gzip', deadlineMs, this.#lock());
    return outcome === 'created' ? { bytes: body.length } : outcome;
  }

  /** Governance mode: only principals with the bypass permission can still delete. */
  #lock() {
    if (this.#lockMs === undefined) return {};
    return {
      ObjectLockMode: 'GOVERNANCE' as const,
      ObjectLockRetainUntilDate: new Date(Date.now() + this.#lockMs),
    };
  }

  readTickers(address: BatchAddress, deadlineMs?: number): Promise<string[] | undefined> {
    return this.readLines(tickersKey(address), deadlineMs);
  }

  async slotsAfter({ exchange, category }: Market, afterMs: number, deadlineMs?: number): Promise<number[]> {
    const slots: number[] = [];
    const startAfter = tickersKey({ exchange, category, slotMs: afterMs });
    for await (const key of this.#bucket.keys(tickersPrefix(exchange, category), startAfter, deadlineMs)) {
      const slotMs = parseTickersKey(key)?.slotMs;
      if (slotMs !== undefined && slotMs > afterMs) slots.push(slotMs);
    }
    return slots.sort((a, b) => a - b);
  }

  async firstSlot({ exchange, category }: Market, deadlineMs?: number): Promise<number | undefined> {
    for await (const key of this.#bucket.keys(tickersPrefix(exchange, category), undefined, deadlineMs)) {
      const slotMs = parseTickersKey(key)?.slotMs;
      if (slotMs !== undefined) return slotMs;
    }
    return undefined;
  }

  keys(prefix: string, startAfter?: string): AsyncGenerator<string> {
    return this.#bucket.keys(prefix, startAfter);
  }

  folders(prefix: string): Promise<string[]> {
    return this.#bucket.folders(prefix);
  }

  async readLines(key: string, deadlineMs?: number): Promise<string[] | undefined> {
    const body = await this.#bucket.readIfThere(key, deadlineMs);
    if (!body) return undefined;
    return unpackLines(body).catch((cause) => {
      throw new UnreadableObjectError(key, cause);
    });
  }

  async putRejected(
    address: BatchAddress,
    receivedAtMs: number,
    records: readonly Rejected[],
    deadlineMs?: number,
  ): Promise<void> {
    const body = await packLines(records.map(rejectedLine));
    await this.#bucket.write(rejectedKey(address, receivedAtMs), body, 'application/gzip', deadlineMs);
  }

  async putListings(address: BatchAddress, listings: readonly Listing[], deadlineMs?: number): Promise<void> {
    const body = await packLines(listings.map((listing) => JSON.stringify(listing)));
    await this.#bucket.write(listingsKey(address), body, 'application/gzip', deadlineMs);
  }

  async putFailure(address: BatchAddress, failure: PollFailure, deadlineMs?: number): Promise<void> {
    const { exchange, category, slotMs } = address;
    const slot = new Date(slotMs).toISOString();
    const text = JSON.stringify({ v: 1, exchange, category, slot, ...failure });
    await this.#bucket.write(failureKey(address), text, 'application/json', deadlineMs);
  }

  async readMarker(market: Market, deadlineMs?: number, source?: string): Promise<OutboxMarker | undefined> {
    const own = await this.#readMarker(markerKey(market), deadlineMs, parseMarker);
    if (own || source === undefined) return own;
    const ofSource = (text: string) => parseMarkerOfSource(text, market.category);
    return this.#readMarker(markerKeyOfSource(source), deadlineMs, ofSource);
  }

  async writeMarker(market: Market, marker: OutboxMarker, deadlineMs?: number): Promise<void> {
    await this.#bucket.write(markerKey(market), markerText(marker), 'application/json', deadlineMs);
  }

  async setMarkerAside(key: string, market: Market, slotMs: number, deadlineMs?: number): Promise<string> {
    const aside = unreadableMarkerKey(market, slotMs);
    await this.#bucket.write(aside, await this.#bucket.read(key, deadlineMs), 'text/plain', deadlineMs);
    return aside;
  }

  async #readMarker<T>(
    key: string,
    deadlineMs: number | undefined,
    parse: (text: string) => T,
  ): Promise<T | undefined> {
    const body = await this.#bucket.readIfThere(key, deadlineMs);
    try {
      return body && parse(Buffer.from(body).toString('utf8'));
    } catch (cause) {
      throw new UnreadableObjectError(key, cause);
    }
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
