import type { Client } from '@opensearch-project/opensearch';
import type { Admin } from 'kafkajs';
import type { InsightsEvent, InsightsResponse } from '../../lambdas/insights/handler.ts';
import { S3Lake } from '../../stores/s3/lake.ts';
import { type Engines, type ServiceUrls, serviceUrls } from '../engines/engines.ts';
import { stopLeftovers } from '../engines/pid-file.ts';
import { apartFromCredentials } from '../engines/s3-client.ts';
import type { KafkaEventSource } from '../event-sources/kafka-event-source.ts';
import { type Endpoints, removeEndpoints, writeEndpoints } from './endpoints.ts';
import { fileLog } from './file-log.ts';
import { hostFunction } from './functions.ts';
import { loadHistory } from './history.ts';
import { localLogOf, RUN_BEGINS } from './last-run.ts';
import { takeLock } from './lock.ts';
import type { PipelineHooks, PipelineOptions, WallClockSource } from './options.ts';
import { BUCKET, connectStores, INDEX_SETTINGS, prepareStores, TOPIC } from './resources.ts';
import { type Replay, startSources } from './sources.ts';
import { startPipelineEngines } from './start-engines.ts';
import {
  type Host,
  type PipelineSchedules,
  type PolledSource,
  polledSource,
  startEventSource,
  startSchedules,
} from './start-functions.ts';

/** The pipeline, running and ready to poll. */
export interface Pipeline {
  endpoints: Endpoints;
  /** Undefined with other sources than the market replay. */
  replay: Replay | undefined;
  lake: S3Lake;
  admin: Admin;
  openSearch: Client;
  eventSource: KafkaEventSource;
  /** Summarises each hour that passes, and compacts each day. */
  schedules: PipelineSchedules;
  /** Each has its own ingest function. */
  sources: PolledSource[];
  /** Calls the insights function. */
  ask(event: InsightsEvent): Promise<InsightsResponse>;
  /** Stops everything that was started, within 10 s. */
  close(): Promise<void>;
}

/**
 * Starts the whole pipeline on one machine: engines (unless servers are given), bucket, topic, templates, source,
 * functions and the event source mapping. If a step fails, everything started before is stopped.
 *
 * @throws PipelineRunningError, MissingRequirementsError, ArtifactDownloadError, JarMismatchError,
 *   PortTakenError, EngineStartError, ServiceUnavailableError, or the signal's reason
 */
export async function startPipeline(options: PipelineOptions, hooks: PipelineHooks): Promise<Pipeline> {
  // Filled in the order of the start, emptied in the reverse order.
  const cleanups = new AsyncDisposableStack();
  try {
    return await start(options, hooks, cleanups);
  } catch (error) {
    await cleanups.disposeAsync();
    throw error;
  }
}

async function start(
  options: PipelineOptions,
  hooks: PipelineHooks,
  cleanups: AsyncDisposableStack,
): Promise<Pipeline> {
  const { folder, servers } = options;
  const { step, signal } = hooks;
  await takeFolder(folder, hooks, cleanups);
  const engines = await startPipelineEngines(options, hooks, cleanups);
  const urls = serviceUrls((name) => servers[name] ?? engines[name]?.url);
  const log = fileLog(localLogOf(folder));
  log.info(RUN_BEGINS);
  const clients = connectStores(urls, log, cleanups);
  const host: Host = (name, environment) => {
    const hosted = hostFunction(name, { folder, urls, environment });
    cleanups.defer(() => hosted.close());
    return hosted;
  };
  await step('Bucket, topic and index templates', async () => {
    await prepareStores(clients, urls, signal);
    const setup = host('setup', { INDEX_SETTINGS: JSON.stringify(INDEX_SETTINGS) });
    await setup.invoke({ RequestType: 'Create' });
    await setup.close();
  });
  const { sources, replay } = await step('Source', async ({ note }) => {
    const started = await startSources(options, cleanups);
    note(started.sources.map(({ config, url }) => url ?? `${config.exchange}, live`).join(', '));
    return started;
  });
  await step('Price history', async ({ note, progress }) => {
    const operate = host('operate');
    const loaded = await loadHistory({
      openSearch: clients.openSearch,
      operate: (event) => operate.invoke(event),
      onProgress: (done, total) => progress(done / total, `${done} of ${total} candles`),
      signal,
    });
    note(loaded === 0 ? 'already loaded' : `${loaded} candles`);
    await operate.close();
  });
  return step('Functions and event source mapping', async () => {
    const { s3, admin, openSearch } = clients;
    const exchanges = [...new Set(sources.map(({ config }) => config.exchange))];
    const insights = host('insights');
    const polled = sources.map((source) => polledSource(source, host));
    const eventSource = startEventSource({ host, urls, admin, log, onIndexed: hooks.onIndexed }, cleanups);
    await eventSource.waitUntilRunning(signal);
    const schedules = startSchedules({ host, exchanges, replay, log }, cleanups);
    const endpoints = endpointsOf({ urls, sources, exchanges, engines });
    writeEndpoints(folder, endpoints);
    cleanups.defer(() => removeEndpoints(folder));
    return {
      endpoints,
      replay,
      lake: new S3Lake(s3, BUCKET),
      admin,
      openSearch,
      eventSource,
      schedules,
      sources: polled,
      ask: (event) => insights.invoke(event) as Promise<InsightsResponse>,
      close: () => cleanups.disposeAsync(),
    };
  });
}

async function takeFolder(
  folder: string,
  { step }: PipelineHooks,
  cleanups: AsyncDisposableStack,
): Promise<void> {
  const lock = takeLock(folder);
  cleanups.defer(() => lock.release());
  removeEndpoints(folder);
  const leftovers = await stopLeftovers(folder);
  if (leftovers.length > 0) {
    await step('Stopped what a killed run left', async ({ note }) => note(leftovers.join(', ')));
  }
}

function endpointsOf(run: {
  urls: ServiceUrls;
  sources: readonly WallClockSource[];
  exchanges: string[];
  engines: Engines;
}): Endpoints {
  const { urls, sources, exchanges, engines } = run;
  const s3 = apartFromCredentials(urls.s3);
  return {
    kafka: urls.kafka.split(','),
    topic: TOPIC,
    openSearch: urls.openSearch,
    s3: s3.endpoint,
    s3Credentials: s3.credentials,
    bucket: BUCKET,
    sources: Object.fromEntries(sources.map(({ config, url }) => [config.name, url ?? 'live'])),
    exchanges,
    source: sources[0]?.url ?? 'live',
    pids: {
      start: process.pid,
      ...Object.fromEntries(Object.values(engines).map(({ name, pid }) => [name, pid])),
    },
  };
}
