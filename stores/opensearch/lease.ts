import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@opensearch-project/opensearch';
import { SUMMARY_STATE_INDEX } from '../../core/market/index-names.ts';
import { isTransient } from './search.ts';

/** Somebody else kept the lease for as long as we could wait. */
export class LeaseBusyError extends Error {
  override readonly name = 'LeaseBusyError';
  readonly holder: string;
  constructor(holder: string, message: string) {
    super(message);
    this.holder = holder;
  }
}

/** The lease ran out while we worked: somebody else may be writing by now. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

export interface LeaseOptions {
  client: Client;
  /** For people: what the lease is wanted for, e.g. `backfill`. */
  purpose: string;
  /** Epoch ms until which the lease is waited for. */
  waitUntilMs: number;
  /** How long a holder that was killed keeps others out. @default 10,000 */
  ttlMs?: number;
  /** Epoch ms. @default Date.now */
  now?: () => number;
}

export interface Lease {
  /** @throws LeaseLostError where the lease may be somebody else's by now */
  assertHeld(): void;
}

interface LeaseDocument {
  kind: 'lease';
  holder: string;
  purpose: string;
  /** Epoch ms. */
  expires_ms: number;
}

/** Its version in the index, by which two that take it at once find out who was first. */
interface Version {
  if_seq_no: number;
  if_primary_term: number;
}

const LEASE_ID = 'lease';
const LOOK_AGAIN_MS = 80;
const RENEWALS_A_TTL = 3;

/**
 * Does something that only one process may do at a time: backfill, rebuild and summarise write the same documents.
 * The lease is a document that runs out unless its holder renews it, so that one who was killed leaves nothing behind
 * for longer than `ttlMs`. Whoever takes it does so against the version that it has seen: of two, one wins.
 *
 * @throws LeaseBusyError where it was not free in time
 */
export async function withLease<T>(options: LeaseOptions, work: (lease: Lease) => Promise<T>): Promise<T> {
  const { client, purpose, ttlMs = 10_000, now = Date.now } = options;
  const holder = randomUUID();
  const held = await acquire({ ...options, ttlMs, now }, holder);
  let ended = false;
  let renewing: Promise<void> = Promise.resolve();
  const renew = async () => {
    const expiresMs = now() + ttlMs;
    const document: LeaseDocument = { kind: 'lease', holder, purpose, expires_ms: expiresMs };
    try {
      held.version = await put(client, document, held.version);
      held.expiresMs = expiresMs;
    } catch {
      // It holds until it runs out; assertHeld tells. The renewal may have been stored without an answer.
      const found = await read(client).catch(() => undefined);
      if (found?.document.holder === holder) held.version = found.version;
    }
  };
  const timer = setInterval(() => {
    renewing = renewing.then(() => (ended ? undefined : renew()));
  }, ttlMs / RENEWALS_A_TTL);
  timer.unref();
  try {
    return await work({
      assertHeld() {
        if (now() < held.expiresMs) return;
        throw new LeaseLostError(
          `The lease for ${purpose} ran out before the work was done: OpenSearch did not take its renewal in time. What is written is right; run it again.`,
        );
      },
    });
  } finally {
    ended = true;
    clearInterval(timer);
    await renewing;
    // Free at once; where that fails, it runs out.
    await put(client, { kind: 'lease', holder, purpose, expires_ms: 0 }, held.version).catch(() => {});
  }
}

async function acquire(
  { client, purpose, waitUntilMs, ttlMs, now }: Required<LeaseOptions>,
  holder: string,
): Promise<{ version: Version; expiresMs: number }> {
  for (;;) {
    let busy = '';
    try {
      const found = await read(client);
      if (!found || found.document.expires_ms <= now()) {
        const expiresMs = now() + ttlMs;
        const document: LeaseDocument = { kind: 'lease', holder, purpose, expires_ms: expiresMs };
        return { version: await put(client, document, found?.version), expiresMs };
      }
      busy = found.document.purpose;
    } catch (error) {
      // 409: somebody else was first.
      const status = (error as { statusCode?: number }).statusCode;
      if (status !== 409 && (!isTransient(error) || now() >= waitUntilMs)) throw error;
    }
    if (now() >= waitUntilMs) {
      throw new LeaseBusyError(
        busy,
        `${purpose} waits for ${busy || 'another one'}, which writes the same candles; try again when it is done.`,
      );
    }
    await wait(LOOK_AGAIN_MS * (0.5 + Math.random()));
  }
}

async function read(client: Client): Promise<{ document: LeaseDocument; version: Version } | undefined> {
  try {
    const { body } = await client.get({ index: SUMMARY_STATE_INDEX, id: LEASE_ID });
    const version = { if_seq_no: body._seq_no ?? 0, if_primary_term: body._primary_term ?? 0 };
    return { document: body._source as unknown as LeaseDocument, version };
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

/** Writes the lease against the version that was seen; answered 409 where it is another one by now. */
async function put(client: Client, document: LeaseDocument, seen: Version | undefined): Promise<Version> {
  const { body } = await client.index({
    index: SUMMARY_STATE_INDEX,
    id: LEASE_ID,
    body: document,
    ...(seen ?? { op_type: 'create' }),
  });
  return { if_seq_no: body._seq_no ?? 0, if_primary_term: body._primary_term ?? 0 };
}
