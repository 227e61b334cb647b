import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { packLines } from '../../core/lake/ndjson.ts';
import { tickersKey } from '../../core/lake/ticker-objects.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import type { RebuildOutput } from '../../core/operate/rebuild.ts';
import type { ReplayOutput } from '../../core/operate/replay.ts';
import { restoreObjects } from '../../core/operate/restore.ts';
import type { VerifyOutput } from '../../core/operate/verify.ts';
import { anyFreePort } from '../../local/engines/ports.ts';
import { localS3Client } from '../../local/engines/s3-client.ts';
import { S3Lake } from '../../stores/s3/lake.ts';
import { S3Versions } from '../../stores/s3/versions.ts';
import { type MiniStack, startMiniStack } from '../deploy/ministack/ministack.ts';
import { startOperate } from '../integration/lambdas/handlers.ts';
import { storedDocuments } from '../integration/lambdas/summaries.ts';
import { freshTopic, openSearch } from '../integration/services.ts';
import { sampleTicker } from '../samples/tickers.ts';
import { freshWorld, leaveWorld, until } from './world.ts';

const BUCKET = 'lake';
const FIRST_MS = Date.UTC(2021, 2, 1);
const HOURS = 6;
const END = new Date(FIRST_MS + HOURS * HOUR_MS).toISOString();

let folder: string;
/** An S3 that keeps versions, which the local one does not. */
let aws: MiniStack;
let s3Url: string;
let s3: S3Client;
let topic: string;
beforeAll(async () => {
  folder = mkdtempSync(join(inject('runFolder'), 'disaster-'));
  const file = (name: string) => join(folder, name);
  for (const name of ['clock', 'calls', 'certificate']) writeFileSync(file(name), '');
  const nobody = '127.0.0.1:1';
  aws = await startMiniStack({
    folder,
    port: await anyFreePort(),
    logFile: file('ministack.log'),
    kafka: nobody,
    openSearch: nobody,
    topicsUrl: `http://${nobody}`,
    alarmClockFile: file('clock'),
    callsFile: file('calls'),
    certificateFile: file('certificate'),
  });
  s3Url = aws.url.replace('//', '//test:test@');
  s3 = localS3Client(s3Url);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status: 'Enabled' } }),
  );
  await freshWorld();
  topic = await freshTopic(1);
});
afterAll(async () => {
  await leaveWorld();
  s3.destroy();
  await aws.stop();
  rmSync(folder, { recursive: true, force: true });
});

const addressOf = (slotMs: number) => ({ exchange: 'bybit', category: 'spot' as const, slotMs });
const keyOf = (slotMs: number) => tickersKey(addressOf(slotMs));
const slots = Array.from({ length: HOURS * 30 }, (_, poll) => FIRST_MS + poll * 120_000);

function linesOf(slotMs: number, factor = 1): string[] {
  const slot = new Date(slotMs).toISOString();
  return ['BTCUSDT', 'ETHUSDT'].map((symbol, position) =>
    JSON.stringify(
      sampleTicker({
        symbol,
        slot,
        timestamp: slot,
        received_at: slot,
        last_price: factor * (100 + position) * (1 + 0.05 * Math.sin(slotMs / 700_000)),
      }),
    ),
  );
}

async function runFromLake(): Promise<{ indexed: number; hours: number }> {
  const operate = await startOperate({ bucket: BUCKET, topic, s3: s3Url });
  const replayed = await operate<ReplayOutput>('replay', { direct: true });
  const rebuilt = await operate<RebuildOutput>('rebuild', { to: END });
  expect([...replayed, ...rebuilt].flatMap(({ problems }) => problems)).toEqual([]);
  await openSearch.indices.refresh({ index: 'tickers-*' });
  return {
    indexed: replayed.reduce((sum, { indexed }) => sum + indexed, 0),
    hours: rebuilt.reduce((sum, { hours }) => sum + hours, 0),
  };
}

async function loseTheIndex(): Promise<void> {
  const { body } = await openSearch.indices.get({
    index: 'tickers-*,candles-*,moves*,summaries-*',
    expand_wildcards: ['open', 'hidden'],
    allow_no_indices: true,
  });
  const names = Object.keys(body);
  if (names.length > 0) await openSearch.indices.delete({ index: names.join(',') });
}

const differences = async () => {
  const operate = await startOperate({ bucket: BUCKET, topic, s3: s3Url });
  const slices = await operate<VerifyOutput>('verify', { patienceMs: 0 });
  return slices.flatMap((slice) => [...slice.differences, ...slice.problems]);
};

describe('after batches were deleted, replaced and forged, and OpenSearch is lost', () => {
  it('everything is as it was: the lake from its versions, index and summaries from the lake alone', async () => {
    const lake = new S3Lake(s3, BUCKET);
    for (const slotMs of slots) await lake.putTickers(addressOf(slotMs), linesOf(slotMs));
    await loseTheIndex();
    const before = { ...(await runFromLake()), ...(await storedDocuments()) };
    expect(before).toMatchObject({ indexed: slots.length * 2, hours: HOURS });
    expect(before.candles.length).toBe(HOURS * 2);
    expect(before.moves.length).toBeGreaterThan(0);

    const asOfMs = Date.now();
    // S3's version times have whole seconds.
    await until(() => Date.now() >= asOfMs + 1_100);
    const [deleted = 0, deletedTwice = 0, replaced = 0, replacedAndDeleted = 0] = slots.slice(40, 44);
    const invented = FIRST_MS - HOUR_MS;
    const remove = (slotMs: number) =>
      s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: keyOf(slotMs) }));
    const forge = async (slotMs: number) =>
      s3.send(
        new PutObjectCommand({
          Bucket: BUCKET,
          Key: keyOf(slotMs),
          Body: await packLines(linesOf(slotMs, 3)),
        }),
      );
    for (const slotMs of [deleted, deletedTwice, deletedTwice]) await remove(slotMs);
    for (const slotMs of [replaced, replacedAndDeleted, invented]) await forge(slotMs);
    await remove(replacedAndDeleted);
    await loseTheIndex();

    const versions = new S3Versions(s3, BUCKET);
    const signal = AbortSignal.timeout(60_000);
    const restore = (dryRun: boolean) =>
      restoreObjects(versions, { prefix: 'tickers/', asOfMs, dryRun, signal });
    const expected = { undelete: 2, putAgain: 2, appeared: 1, lost: 0, none: slots.length - 4 };
    expect(await restore(true)).toMatchObject({ counts: expected });
    const report = await restore(false);
    expect(report).toMatchObject({
      counts: expected,
      examples: { appeared: [keyOf(invented)] },
      problems: [],
    });
    // Whether new objects are genuine is for a person to decide.
    await remove(invented);
    expect(await restore(false)).toMatchObject({ counts: { none: slots.length + 1, appeared: 0 } });

    expect({ ...(await runFromLake()), ...(await storedDocuments()) }).toEqual(before);
    expect(await differences()).toEqual([]);
  });
});

describe('a lake whose batches are locked', () => {
  it('lets nobody delete the version of a batch without permission and an explicit request to bypass it', async () => {
    const [slotMs = 0] = slots;
    const Bucket = 'locked';
    await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    await new S3Lake(s3, Bucket, { lockDays: 30 }).putTickers(addressOf(slotMs), linesOf(slotMs));
    const batch = { Bucket, Key: keyOf(slotMs) };
    const { VersionId } = await s3.send(new HeadObjectCommand(batch));

    const deletion = { ...batch, VersionId };
    await expect(s3.send(new DeleteObjectCommand(deletion))).rejects.toThrow(/Access ?Denied|lock/i);
    const bypass = { ...deletion, BypassGovernanceRetention: true };
    await s3.send(new DeleteObjectCommand(bypass));
    expect(await new S3Lake(s3, Bucket).readTickers(addressOf(slotMs))).toBeUndefined();
  });
});
