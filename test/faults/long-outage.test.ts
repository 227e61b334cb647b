import type { Client } from '@opensearch-project/opensearch';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HealOutput } from '../../core/operate/heal.ts';
import type { VerifyOutput } from '../../core/operate/verify.ts';
import { STAGE_NAMES, type StageName } from '../../lib/config/stages.ts';
import { startOpenSearch } from '../../local/engines/opensearch.ts';
import type { Retry } from '../../local/event-sources/batch-processing.ts';
import { startKafkaEventSource } from '../../local/event-sources/kafka-event-source.ts';
import type { KafkaEventSourceOptions } from '../../local/event-sources/options.ts';
import { callRepeatedly } from '../../local/schedule/repeated.ts';
import { createOpenSearch } from '../../stores/opensearch/client.ts';
import { emittedBy } from '../emf.ts';
import { synthesise } from '../infra/synthesised.ts';
import { startIndex, startOperate, startSetup } from '../integration/lambdas/handlers.ts';
import { keysOf } from '../integration/lambdas/stores.ts';
import { freshTopic, services } from '../integration/services.ts';
import { SILENT_LOG, sampleTickers } from '../samples/tickers.ts';
import { type MortalEngine, startMortal } from './own-engines.ts';
import { fillLake, freshWorld, leaveWorld, until, type World } from './world.ts';

const SLOT = '2021-03-01T12:00:00.000Z';
const TICKERS = 60;
/** More than Lambda's ten retries. */
const FAILED_ATTEMPTS = 13;
/** Of one attempt to index; in it, the function itself retries for a moment. */
const INVOCATION_MS = 800;

let engine: MortalEngine;
let openSearch: Client;
let world: World;

beforeEach(async () => {
  engine = await startMortal('opensearch', (options) => startOpenSearch({ ...options, heapMb: 512 }));
  openSearch = createOpenSearch(engine.url);
  world = { ...(await freshWorld()), topic: await freshTopic(3) };
});
afterEach(async () => {
  await leaveWorld();
  await openSearch.close();
  await engine.stop();
});

/** What the stage's event source mapping says about failures. */
function failureSettingsOf(stage: StageName) {
  const { stateless } = synthesise(stage);
  const [mapping] = Object.values(stateless.findResources('AWS::Lambda::EventSourceMapping'));
  const { Properties: properties } = mapping as { Properties: Record<string, unknown> };
  const ageSeconds = properties.MaximumRecordAgeInSeconds as number | undefined;
  const attempts = properties.MaximumRetryAttempts as number | undefined;
  return {
    partialBatchResponse: properties.FunctionResponseTypes !== undefined,
    bisectOnError: properties.BisectBatchOnFunctionError === true,
    ...(attempts === undefined ? {} : { maximumRetryAttempts: attempts }),
    ...(ageSeconds === undefined ? {} : { maximumRecordAgeMs: ageSeconds * 1_000 }),
    ...(properties.DestinationConfig === undefined
      ? {}
      : { onFailure: { s3Url: services.s3, bucket: world.bucket } }),
  } satisfies Partial<KafkaEventSourceOptions>;
}

/** Stores a poll's tickers in the lake and on the topic. */
async function poll(): Promise<void> {
  await fillLake(world, sampleTickers(TICKERS, { slot: SLOT }));
  await (await startOperate({ ...world, openSearch: engine.url }))('replay');
}

describe.each(STAGE_NAMES)('an outage of OpenSearch longer than ten attempts, in %s', (stage) => {
  it('leaves nothing out of the index, without anyone’s intervention', async () => {
    await (await startSetup(engine.url))();
    const settings = failureSettingsOf(stage);
    await poll();
    await engine.kill();

    const { bucket } = world;
    const { partialBatchResponse } = settings;
    const index = await startIndex({ bucket, openSearch: engine.url, partialBatchResponse });
    const operate = await startOperate({ ...world, openSearch: engine.url });
    const attempts = new Map<Retry['next'], number>();
    const eventSource = startKafkaEventSource({
      ...settings,
      brokers: [services.kafka],
      topic: world.topic,
      groupId: `group-of-${world.topic}`,
      invoke: (event) => index(event, INVOCATION_MS),
      retryBackoff: { initialMs: 5, maxMs: 20 },
      onRetry: ({ next, attempt }) => attempts.set(next, Math.max(attempts.get(next) ?? 0, attempt)),
      log: SILENT_LOG,
    });
    const schedule = callRepeatedly({ call: () => operate('heal'), everyMs: 500, onFailed: () => {} });
    try {
      await until(
        () => (attempts.get('again') ?? 0) >= FAILED_ATTEMPTS || (attempts.get('discard') ?? 0) > 0,
        120_000,
      );
      await engine.start();
      const documents = async () => {
        await openSearch.indices.refresh({ index: 'tickers-*', allow_no_indices: true });
        return (await openSearch.count({ index: 'tickers-*', allow_no_indices: true })).body.count;
      };
      // Right after its start it cannot search yet.
      await until(async () => (await documents().catch(() => 0)) === TICKERS, 60_000);
      await until(async () => (await keysOf(bucket, 'aws/lambda/')).length === 0);
    } finally {
      await Promise.all([schedule.stop(), eventSource.stop()]);
    }
    const [verdict] = await operate<VerifyOutput>('verify');
    expect(verdict).toMatchObject({ lakeIds: TICKERS, documents: TICKERS, differences: [], problems: [] });
    const [{ batchesToRedrive } = {}] = await operate<HealOutput>('heal');
    expect(batchesToRedrive).toBe(0);
    // Provisioned pollers retry until a record's maximum age; without them a batch is given up, and redriven.
    const redriven = emittedBy('redrive').reduce((sum, { RecordsRedriven = 0 }) => sum + RecordsRedriven, 0);
    expect(attempts.has('discard')).toBe(stage === 'dev');
    if (stage === 'prod') expect(redriven).toBe(0);
    else expect(redriven).toBeGreaterThan(0);
  }, 300_000);
});
