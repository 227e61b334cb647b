import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@opensearch-project/opensearch';
import { SUMMARY_STATE_INDEX } from '../../core/market/index-names.ts';
import { isTransient } from './search.ts';

/** Another process held the lease for as long as we could wait. */
export class LeaseBusyError extends Error {
  override readonly name = 'LeaseBusyError';
  readonly holder: string;
  constructor(holder: string, message: string) {
    super(message);
    this.holder = holder;
  }
}

/** The lease ran out while we worked, so another process may be writing by now, or has written. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
  constructor(purpose: string, how: string) {
    super(
      `The lease for ${purpose} was lost before the work was done: ${how}. Everything written so far is correct; run it again.`,
    );
  }
}

export interface LeaseOptions {
  client: Client;
  /** What the lease is for, in messages: `backfill`. */
  purpose: string;
  /** Until when to wait for the lease, epoch ms. */
  waitUntilMs: number;
  /** How long a killed holder blocks others. @default 10,000 */
  ttlMs?: number;
  /** Epoch ms. @default Date.now */
  now?: () => number;
}

export interface Lease {
  readonly purpose: string;
  /**
   * Higher than that of every earlier lease. A write with it as the document's version (`external_gte`) is
   * refused if a later holder has written the document, even if it was sent before the lease ran out.
   */
  readonly fence: number;
  /** @throws LeaseLostError */
  assertHeld(): void;
}

interface LeaseDocument {
  kind: 'lease';
  holder: string;
  purpose: string;
  /** Epoch ms. */
  expires_ms: number;
  /** Absent from leases older than this field. */
  fence?: number;
}

/** The document's version in the index: a write against an outdated one fails with 409. */
interface Version {
  if_seq_no: number;
  if_primary_term: number;
}

const LEASE_ID = 'lease';
const POLL_MS = 80;
const RENEWALS_PER_TTL = 3;

/**
 * Runs work that only one process may do at a time: backfill, rebuild and summarise write the same documents. The
 * lease is a document that expires unless its holder renews it, so a killed holder blocks others for `ttlMs` at most.
 * Every write of it states the version it has read, so only one of two competitors wins.
 *
 * @throws LeaseBusyError if the lease was not free in time
 */
export async function withLease<T>(options: LeaseOptions, work: (lease: Lease) => Promise<T>): Promise<T> {
  const { client, purpose, ttlMs = 10_000, now = Date.now } = options;
  const holder = randomUUID();
  const held = await acquire({ ...options, ttlMs, now }, holder);
  const { fence } = held;
  let ended = false;
  let renewing: Promise<void> = Promise.resolve();
  const renew = async () => {
    const expiresMs = now() + ttlMs;
    try {
      held.version = await put(client, { holder, purpose, expires_ms: expiresMs, fence }, held.version);
      held.expiresMs = expiresMs;
    } catch {
      // The lease still holds until it expires. The renewal may have been stored although no answer came.
      const found = await read(client).catch(() => undefined);
      if (found?.document.holder === holder) held.version = found.version;
    }
  };
  const timer = setInterval(() => {
    renewing = renewing.then(() => (ended ? undefined : renew()));
  }, ttlMs / RENEWALS_PER_TTL);
  timer.unref();
  try {
    return await work({
      purpose,
      fence,
      assertHeld() {
        if (now() < held.expiresMs) return;
        throw new LeaseLostError(purpose, 'OpenSearch did not accept its renewal in time');
      },
    });
  } finally {
    ended = true;
    clearInterval(timer);
    await renewing;
    // Release it; if that fails, it expires.
    await put(client, { holder, purpose, expires_ms: 0, fence }, held.version).catch(() => {});
  }
}

async function acquire(
  { client, purpose, waitUntilMs, ttlMs, now }: Required<LeaseOptions>,
  holder: string,
): Promise<{ version: Version; expiresMs: number; fence: number }> {
  for (;;) {
    let busy = '';
    try {
      const found = await read(client);
      if (!found || found.document.expires_ms <= now()) {
        const expiresMs = now() + ttlMs;
        // The time, so that fences also rise if the lease's document is deleted.
        const fence = Math.max((found?.document.fence ?? 0) + 1, now());
        const lease = { holder, purpose, expires_ms: expiresMs, fence };
        return { version: await put(client, lease, found?.version), expiresMs, fence };
      }
      busy = found.document.purpose;
    } catch (error) {
      // 409: another process was faster.
      const status = (error as { statusCode?: number }).statusCode;
      if (status !== 409 && (!isTransient(error) || now() >= waitUntilMs)) throw error;
    }
    if (now() >= waitUntilMs) {
      throw new LeaseBusyError(
        busy,
        `${purpose} has to wait for ${busy || 'another process'}, which writes the same candles; try again when it is done.`,
      );
    }
    await wait(POLL_MS * (0.5 + Math.random()));
  }
}

async function read(client: Client): Promise<{ document: LeaseDocument; version: Version } | undefined> {
  try {
    const { body } = await client.get({ index: SUMMARY_STATE_INDEX, id: LEASE_ID });
    return { document: body._source as unknown as LeaseDocument, version: versionOf(body) };
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

/** Fails with 409 if the document is no longer the version that was read. */
async function put(
  client: Client,
  lease: Omit<LeaseDocument, 'kind'>,
  version: Version | undefined,
): Promise<Version> {
  const document: LeaseDocument = { kind: 'lease', ...lease };
  const { body } = await client.index({
    index: SUMMARY_STATE_INDEX,
    id: LEASE_ID,
    body: document,
    ...(version ?? { op_type: 'create' }),
  });
  return versionOf(body);
}

function versionOf({
  _seq_no = 0,
  _primary_term = 0,
}: {
  _seq_no?: number;
  _primary_term?: number;
}): Version {
  return { if_seq_no: _seq_no, if_primary_term: _primary_term };
}
