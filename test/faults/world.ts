import { setTimeout as wait } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, vi } from 'vitest';
import { type Ticker, tickerId } from '../../core/market/ticker.ts';
import type { VerifyOutput } from '../../core/operate/verify.ts';
import { S3Lake } from '../../stores/s3/lake.ts';
import { forgetMetrics } from '../emf.ts';
import { startIndex, startOperate, startSetup } from '../integration/lambdas/handlers.ts';
import { eventOf, eventOfValues, linesOf, readTopic } from '../integration/lambdas/stores.ts';
import { clearTickers, freshBucket, freshTopic, openSearch, s3 } from '../integration/services.ts';

/** The stores of one test: its own bucket and topic, and an index without tickers. */
export interface World {
  bucket: string;
  topic: string;
}

let templatesArePut: Promise<unknown> | undefined;

export async function freshWorld(): Promise<World> {
  templatesArePut ??= startSetup().then((setup) => setup());
  await templatesArePut;
  await clearTickers();
  forgetMetrics();
  const [bucket, topic] = await Promise.all([freshBucket(), freshTopic(1)]);
  return { bucket, topic };
}

/** Restores the environment and empties the index. */
export async function leaveWorld(): Promise<void> {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await clearTickers();
}

/** Has the index function handle everything on the topic. */
export async function indexTopic({ bucket, topic }: World, times = 1): Promise<void> {
  const event = eventOf(await readTopic(topic));
  const index = await startIndex({ bucket });
  for (let time = 0; time < times; time += 1) await index(event, 30_000);
}

/** Has the index function handle these tickers, and makes them visible. */
export async function indexTickers({ bucket }: World, tickers: readonly Ticker[]): Promise<void> {
  await (await startIndex({ bucket }))(eventOfValues(tickers));
  await openSearch.indices.refresh({ index: 'tickers-*' });
}

/** Stores tickers in the lake, as polls do. */
export async function fillLake({ bucket }: World, tickers: readonly Ticker[]): Promise<void> {
  const lake = new S3Lake(s3, bucket);
  const batches = Object.groupBy(
    tickers,
    ({ exchange, category, slot }) => `${exchange} ${category} ${slot}`,
  );
  for (const batch of Object.values(batches)) {
    const [{ exchange, category, slot }] = batch as [Ticker];
    await lake.putTickers(
      { exchange, category, slotMs: Date.parse(slot) },
      (batch as Ticker[]).map((ticker) => JSON.stringify(ticker)),
    );
  }
}

export interface Verdict {
  agree: boolean;
  lakeIds: number;
  documents: number;
  missing: number;
  extra: number;
  problems: string[];
}

/** The verify operation's verdict on all of lake and index. */
export async function verdict({ bucket, topic }: World, input: object = {}): Promise<Verdict> {
  const verify = await startOperate({ bucket, topic });
  const slices = await verify<VerifyOutput>('verify', input);
  const sum = (count: (slice: VerifyOutput) => number) => slices.reduce((all, each) => all + count(each), 0);
  const differences = slices.flatMap((slice) => slice.differences);
  const problems = slices.flatMap((slice) => slice.problems);
  return {
    agree: differences.length === 0 && problems.length === 0,
    lakeIds: sum(({ lakeIds }) => lakeIds),
    documents: sum(({ documents }) => documents),
    missing: differences.reduce((all, { missing }) => all + missing, 0),
    extra: differences.reduce((all, { extra }) => all + extra, 0),
    problems,
  };
}

/** The {@link verdict} if lake and index have exactly the same ids, this many. */
export const agreementOn = (ids: number): Verdict => ({
  agree: true,
  lakeIds: ids,
  documents: ids,
  missing: 0,
  extra: 0,
  problems: [],
});

/** Ids in the lake and documents in the index, counted independently of the verify operation. */
export async function counts({ bucket }: World): Promise<{ lakeIds: number; documents: number }> {
  const lines = await linesOf(bucket, 'tickers/');
  await openSearch.indices.refresh({ index: 'tickers-*', allow_no_indices: true });
  const { body } = await openSearch.count({ index: 'tickers-*', allow_no_indices: true });
  return {
    lakeIds: new Set(lines.map((line) => tickerId(JSON.parse(line) as Ticker))).size,
    documents: body.count,
  };
}

/** Expects lake and index to have exactly the same ids, this many: by the verify operation, and counted without it. */
export async function expectAgreement(world: World, ids: number): Promise<void> {
  expect(await verdict(world)).toEqual(agreementOn(ids));
  expect(await counts(world)).toEqual({ lakeIds: ids, documents: ids });
}

/** {@link expectAgreement} once the index function has handled everything on the topic. */
export async function expectIndexed(world: World, ids: number): Promise<void> {
  await indexTopic(world);
  await expectAgreement(world, ids);
}

export async function putObject({ bucket }: World, key: string, body: string | Buffer): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
}

/** Waits for a condition. */
export async function until(condition: () => boolean | Promise<boolean>, forMs = 50_000): Promise<void> {
  for (const endMs = Date.now() + forMs; !(await condition()); await wait(20)) {
    if (Date.now() > endMs) throw new Error(`still false after ${forMs} ms: ${condition}`);
  }
}
