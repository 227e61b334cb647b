import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@opensearch-project/opensearch';
import type { Admin } from 'kafkajs';
import type { PollReport } from '../../core/ingest/report.ts';
import { type SourceConfig, usesCcxt } from '../../exchanges/source-config.ts';
import type { KafkaBatchResponse } from '../../lambdas/index/handler.ts';
import type { InsightsEvent, InsightsResponse } from '../../lambdas/insights/handler.ts';
import type { SummariseAnswer } from '../../lambdas/summarise/handler.ts';
import { createKafka } from '../../stores/kafka/client.ts';
import { createOpenSearch } from '../../stores/opensearch/client.ts';
import { S3Lake } from '../../stores/s3/lake.ts';
import { type DownloadProgress, type EngineName, ensureArtifacts, JAR_COUNTS } from '../engines/artifacts.ts';
import type { Engine, StartOptions } from '../engines/engine.ts';
import { findJdk } from '../engines/jdk.ts';
import { startKafka } from '../engines/kafka.ts';
import { startOpenSearch } from '../engines/opensearch.ts';
import { stopLeftovers } from '../engines/pid-file.ts';
import { choosePort } from '../engines/ports.ts';
import { startS3 } from '../engines/s3.ts';
import { localS3Client } from '../engines/s3-client.ts';
import { type KafkaEventSource, startKafkaEventSource } from '../event-sources/kafka-event-source.ts';
import { readPriceHistory } from '../market-replay/history.ts';
import { ReplayMarket } from '../market-replay/replay-market.ts';
import { startMarketReplay } from '../market-replay/server.ts';
import { type SummarySchedule, summariseAsTimePasses } from '../schedule/summaries.ts';
import { watchEachMinute } from '../schedule/watch.ts';
import { type Endpoints, removeEndpoints, writeEndpoints } from './endpoints.ts';
import { fileLog } from './file-log.ts';
import { hostFunction, type LocalFunction } from './functions.ts';
import { HOURLY_HISTORY, loadHistory } from './history.ts';
import { localLogOf, RUN_BEGINS } from './last-run.ts';
import { takeLock } from './lock.ts';
import { ReplayClock } from './replay-clock.ts';
import {
  BUCKET,
  CONSUMER_GROUP,
  ensureBucket,
  ensureTopic,
  INDEX_SETTINGS,
  TOPIC,
  untilItWorks,
} from './resources.ts';
import { keepSamplingIntervals } from './sampling-intervals.ts';

/** A source that is polled by the clock on the wall. */
export interface WallClockSource {
  config: SourceConfig;
  /** A server that speaks the exchange's API. @default the exchange itself */
  url: string | undefined;
}

export interface PipelineOptions {
  /** Holds all data, logs and state, e.g. `.local`. */
  folder: string;
  /** Where the tickers come from: the market replay of the bundled history, or these. */
  sources: 'replay' | readonly WallClockSource[];
  /** Between two polls of each. */
  intervalMs: number;
  /** Servers to use instead of starting one. */
  servers: { kafka?: string | undefined; openSearch?: string | undefined; s3?: string | undefined };
  /** Ports that are insisted on. */
  ports: { [N in EngineName | 'source']?: number | undefined };
}

export interface PipelineHooks {
  /** Does a step of the start, and shows it. */
  step<T>(title: string, work: (progress: StepProgress) => Promise<T>): Promise<T>;
  /** The index function's answer for each batch. */
  onIndexed(response: KafkaBatchResponse): void;
  /** An engine that we started ended on its own. */
  onEngineDied(error: EngineDiedError): void;
  /** Gives the start up. */
  signal: AbortSignal;
}

export interface StepProgress {
  /** What the step found, shown beside its title. */
  note(text: string): void;
  /** How far it is, from 0 to 1, and with what. */
  progress(fraction: number, text: string): void;
}

/** A process of ours ended although nobody asked it to. */
export class EngineDiedError extends Error {
  override readonly name = 'EngineDiedError';
}

/** A source and its ingest function. */
export interface PolledSource {
  name: string;
  exchange: string;
  /** Calls the function with the scheduler's input. */
  poll(event: { slot: string }): Promise<PollReport>;
}

/** The pipeline, up and waiting for polls. */
export interface Pipeline {
  endpoints: Endpoints;
  /** The replay's market and clock; undefined with another source. */
  replay: { market: ReplayMarket; clock: ReplayClock } | undefined;
  lake: S3Lake;
  admin: Admin;
  openSearch: Client;
  eventSource: KafkaEventSource;
  /** Summarises each hour that passes. */
  summaries: SummarySchedule;
  /** Each has an ingest function of its own. */
  sources: PolledSource[];
  /** Asks the insights function. */
  ask(event: InsightsEvent): Promise<InsightsResponse>;
  /** Ends everything that was started, within 10 s. */
  close(): Promise<void>;
}

/** The market replay's series: it speaks Bybit's API, but is an exchange of its own. */
const RECORDED: SourceConfig = {
  name: 'recorded',
  exchange: 'recorded',
  api: 'bybit-v5',
  categories: ['spot'],
};

const TOTAL_JARS = Object.values(JAR_COUNTS).reduce((sum, count) => sum + count, 0);
/** Where clients expect the market replay, if it is free. */
const SOURCE_PORT = 8090;
/** Of the 10 s that a Ctrl-C may take: this much for the batch under way, the rest for the engines' own end. */
const FINISH_MS = 2_500;
const DRAIN_MS = 1_500;
const DISCONNECT_MS = 500;

/**
 * Starts the whole pipeline on one machine: engines (unless servers are given), bucket, topic, templates, source,
 * functions and the event source mapping. What was started is ended again when a later step fails.
 *
 * @throws PipelineRunningError, JdkNotFoundError, MavenNotFoundError, ArtifactDownloadError, PortTakenError,
 *   EngineStartError, ServiceUnavailableError, or the signal's reason
 */
export async function startPipeline(options: PipelineOptions, hooks: PipelineHooks): Promise<Pipeline> {
  // Filled in the order of the start, emptied in the reverse.
  const cleanups = new AsyncDisposableStack();
  try {
    return await assemble(options, hooks, cleanups);
  } catch (error) {
    await cleanups.disposeAsync();
    throw error;
  }
}

async function assemble(
  options: PipelineOptions,
  hooks: PipelineHooks,
  cleanups: AsyncDisposableStack,
): Promise<Pipeline> {
  const { folder, servers } = options;
  const { step, signal } = hooks;

  const lock = takeLock(folder);
  cleanups.defer(() => lock.release());
  removeEndpoints(folder);
  const leftovers = await stopLeftovers(folder);
  if (leftovers.length > 0) {
    await step('Stopped what a killed run left', async ({ note }) => note(leftovers.join(', ')));
  }

  const engines = await startEngines(options, hooks, cleanups);
  const kafkaBroker = servers.kafka ?? engines.get('kafka')?.url ?? '';
  const openSearchUrl = servers.openSearch ?? engines.get('opensearch')?.url ?? '';
  const s3Url = servers.s3 ?? engines.get('s3')?.url ?? '';

  const log = fileLog(localLogOf(folder));
  log.info(RUN_BEGINS);
  const s3 = localS3Client(s3Url);
  cleanups.defer(() => s3.destroy());
  const admin = createKafka('local', [kafkaBroker], log).admin();
  cleanups.defer(() => within(DISCONNECT_MS, admin.disconnect()));
  const openSearch = createOpenSearch(openSearchUrl);
  cleanups.defer(() => openSearch.close());

  const urls = { kafka: kafkaBroker, openSearch: openSearchUrl, s3: s3Url };
  const host = (name: LocalFunction, environment?: Record<string, string>) => {
    const hosted = hostFunction(name, { folder, urls, environment });
    cleanups.defer(() => hosted.close());
    return hosted;
  };

  await step('Bucket, topic and index templates', async () => {
    await Promise.all([
      untilItWorks(() => ensureBucket(s3), { service: `The S3 server at ${s3Url}`, signal }),
      untilItWorks(() => admin.connect().then(() => ensureTopic(admin)), {
        service: `Kafka at ${kafkaBroker}`,
        signal,
      }),
      untilItWorks(() => openSearch.cluster.health(), { service: `OpenSearch at ${openSearchUrl}`, signal }),
    ]);
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
      openSearch,
      operate: (event) => operate.invoke(event),
      onProgress: (done, total) => progress(done / total, `${done} of ${total} candles`),
      signal,
    });
    note(loaded === 0 ? 'was there' : `${loaded} candles`);
    await operate.close();
  });

  return step('Functions and event source mapping', async () => {
    const index = host('index', { PARTIAL_BATCH_RESPONSE: 'true' });
    const polled = sources.map(({ config, url }): PolledSource => {
      const ingest = host(usesCcxt(config) ? 'ingest-ccxt' : 'ingest', {
        TICKER_SOURCE: JSON.stringify(config),
        ...(url === undefined ? {} : { TICKER_API_URL: url }),
      });
      return {
        name: config.name,
        exchange: config.exchange,
        poll: (event) => ingest.invoke(event) as Promise<PollReport>,
      };
    });
    const insights = host('insights');
    const eventSource = startKafkaEventSource({
      brokers: [kafkaBroker],
      topic: TOPIC,
      groupId: CONSUMER_GROUP,
      functionName: 'index',
      invoke: (event) => index.invoke(event),
      partialBatchResponse: true,
      bisectOnError: true,
      onFailure: { s3Url, bucket: BUCKET },
      onBatch: ({ result }) => hooks.onIndexed(result as KafkaBatchResponse),
      log,
    });
    cleanups.defer(async () => {
      // Or what the last polls produced would wait on the topic for the next start.
      await within(DRAIN_MS, untilTopicIsHandled(admin, eventSource));
      await within(FINISH_MS, eventSource.stop());
    });
    await eventSource.waitUntilRunning(signal);
    const summarise = host('summarise');
    const summaries = summariseAsTimePasses({
      invoke: (event) => summarise.invoke(event) as Promise<SummariseAnswer>,
      onFailed: (error) =>
        log.error('Summarising failed; it goes on with the next hour', { error: String(error) }),
    });
    const exchanges = [...new Set(sources.map(({ config }) => config.exchange))];
    const watch = host('watch', { EXCHANGES: JSON.stringify(exchanges) });
    const watching = watchEachMinute({
      invoke: (event) => watch.invoke(event),
      now: () => replay?.clock.position?.slotMs,
      onFailed: (error) => log.error('Nobody watched this minute', { error: String(error) }),
    });
    // A call of summarise that is cut off would keep its lease for some seconds.
    cleanups.defer(() => within(FINISH_MS, Promise.all([summaries.stop(), watching.stop()])));
    const endpoints: Endpoints = {
      kafka: [kafkaBroker],
      topic: TOPIC,
      openSearch: openSearchUrl,
      s3: s3Url,
      bucket: BUCKET,
      sources: Object.fromEntries(sources.map(({ config, url }) => [config.name, url ?? 'live'])),
      exchanges,
      source: sources[0]?.url ?? 'live',
      pids: {
        start: process.pid,
        ...Object.fromEntries([...engines].map(([name, { pid }]) => [name, pid])),
      },
    };
    writeEndpoints(folder, endpoints);
    cleanups.defer(() => removeEndpoints(folder));
    return {
      endpoints,
      replay,
      lake: new S3Lake(s3, BUCKET),
      admin,
      openSearch,
      eventSource,
      summaries,
      sources: polled,
      ask: (event) => insights.invoke(event) as Promise<InsightsResponse>,
      close: () => cleanups.disposeAsync(),
    };
  });
}

const ENGINES = [
  { name: 'kafka', title: 'Apache Kafka', server: 'kafka', start: startKafka },
  { name: 'opensearch', title: 'OpenSearch', server: 'openSearch', start: startOpenSearch },
  { name: 's3', title: 'S3 server', server: 's3', start: startS3 },
] as const;

/** Starts the engines for which no server was given, side by side; the first start downloads them. */
async function startEngines(
  { folder, servers, ports }: PipelineOptions,
  { step, signal, onEngineDied }: PipelineHooks,
  cleanups: AsyncDisposableStack,
): Promise<Map<EngineName, Engine>> {
  const started = new Map<EngineName, Engine>();
  const wanted = ENGINES.filter(({ server }) => servers[server] === undefined);
  if (wanted.length === 0) return started;

  const { jdk, jars } = await step('Engines', async ({ note, progress }) => {
    const jdk = await findJdk();
    const counts = new Map<EngineName, DownloadProgress>();
    const onProgress = (download: DownloadProgress) => {
      counts.set(download.engine, download);
      const done = [...counts.values()].reduce((sum, each) => sum + each.done, 0);
      progress(done / TOTAL_JARS, `downloading ${download.engine}`);
    };
    const jars = await ensureArtifacts({ folder: `${folder}/engines`, jdk, onProgress, signal });
    note(`JDK ${jdk.major}`);
    return { jdk, jars };
  });

  let closing = false;
  // Side by side; a start that fails must not leave the others behind, so all are awaited.
  const results = await Promise.allSettled(
    wanted.map(({ name, title, start }) =>
      step(title, async ({ note }) => {
        const settings: StartOptions = { jdk, jars, folder, port: ports[name], signal };
        const engine = await start(settings);
        note(engine.url);
        started.set(name, engine);
        engine.exited.then(({ code, signal: by, logTail }) => {
          if (closing) return;
          const how = by ? `killed by ${by}` : `exit code ${code}`;
          const message = `${title} (pid ${engine.pid}) ended on its own: ${how}. The end of ${engine.logFile}:\n${logTail}`;
          onEngineDied(new EngineDiedError(message));
        });
      }),
    ),
  );
  cleanups.defer(async () => {
    closing = true;
    await Promise.all([...started.values()].map((engine) => engine.stop()));
  });
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
  return started;
}

/** The sources to poll; the market replay is a server of our own. */
async function startSources(
  { sources, intervalMs, folder, ports }: PipelineOptions,
  cleanups: AsyncDisposableStack,
): Promise<{ sources: readonly WallClockSource[]; replay: Pipeline['replay'] }> {
  const clock = new ReplayClock(folder);
  if (sources !== 'replay') {
    clock.rest();
    keepSamplingIntervals(
      folder,
      sources.map(({ config }) => config),
      intervalMs,
    );
    return { sources, replay: undefined };
  }
  const market = new ReplayMarket(await readPriceHistory(HOURLY_HISTORY));
  const server = await startMarketReplay({
    market,
    clock: () => clock.position?.slotMs ?? market.firstSlot() ?? 0,
    port: await choosePort({
      engine: 'the market replay',
      option: '--source-port',
      usual: SOURCE_PORT,
      requested: ports.source,
    }),
  });
  cleanups.defer(() => server.close());
  return { sources: [{ config: RECORDED, url: server.url }], replay: { market, clock } };
}

async function untilTopicIsHandled(admin: Admin, eventSource: KafkaEventSource): Promise<void> {
  const ends = await admin.fetchTopicOffsets(TOPIC);
  await eventSource.waitUntil(Object.fromEntries(ends.map(({ partition, high }) => [partition, high])));
}

/** Waits for the work, but not longer; its failure is of no interest any more. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work.catch(() => {}), wait(ms, undefined, { signal: done.signal }).catch(() => {})]);
  done.abort();
}
