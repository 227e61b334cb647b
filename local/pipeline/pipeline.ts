import type { Client } from '@opensearch-project/opensearch';
import type { Admin } from 'kafkajs';
import type { PollReport } from '../../core/ingest/report.ts';
import type { Log } from '../../core/runtime/log.ts';
import { waitAtMost } from '../../core/runtime/wait.ts';
import { usesCcxt } from '../../exchanges/source-config.ts';
import type { KafkaBatchResponse } from '../../lambdas/index/handler.ts';
import type { InsightsEvent, InsightsResponse } from '../../lambdas/insights/handler.ts';
import type { SummariseAnswer } from '../../lambdas/summarise/handler.ts';
import { S3Lake } from '../../stores/s3/lake.ts';
import { type Engines, type ServiceUrls, serviceUrls } from '../engines/engines.ts';
import { stopLeftovers } from '../engines/pid-file.ts';
import { type KafkaEventSource, startKafkaEventSource } from '../event-sources/kafka-event-source.ts';
import type { LambdaFunction } from '../lambda-host/host.ts';
import { type SummarySchedule, summariseAsTimePasses } from '../schedule/summaries.ts';
import { watchEachMinute } from '../schedule/watch.ts';
import { type Endpoints, removeEndpoints, writeEndpoints } from './endpoints.ts';
import { fileLog } from './file-log.ts';
import { hostFunction, type LocalFunction } from './functions.ts';
import { loadHistory } from './history.ts';
import { localLogOf, RUN_BEGINS } from './last-run.ts';
import { takeLock } from './lock.ts';
import type { PipelineHooks, PipelineOptions, WallClockSource } from './options.ts';
import { startPipelineEngines } from './pipeline-engines.ts';
import {
  BUCKET,
  CONSUMER_GROUP,
  connectStores,
  INDEX_SETTINGS,
  prepareStores,
  type StoreClients,
  TOPIC,
  topicEnds,
} from './resources.ts';
import { type Replay, startSources } from './sources.ts';

/** A source and its ingest function. */
export interface PolledSource {
  name: string;
  exchange: string;
  /** Calls the function with the scheduler's input. */
  poll(event: { slot: string }): Promise<PollReport>;
}

/** The pipeline, running and ready to poll. */
export interface Pipeline {
  endpoints: Endpoints;
  /** Undefined with other sources than the market replay. */
  replay: Replay | undefined;
  lake: S3Lake;
  admin: Admin;
  openSearch: Client;
  eventSource: KafkaEventSource;
  /** Summarises each hour that passes. */
  summaries: SummarySchedule;
  /** Each has its own ingest function. */
  sources: PolledSource[];
  /** Calls the insights function. */
  ask(event: InsightsEvent): Promise<InsightsResponse>;
  /** Stops everything that was started, within 10 s. */
  close(): Promise<void>;
}

/** Ctrl-C may take 10 s: this much for the current batch, the rest for the engines. */
const FINISH_MS = 2_500;
const DRAIN_MS = 1_500;

/**
 * Starts the whole pipeline on one machine: engines (unless servers are given), bucket, topic, templates, source,
 * functions and the event source mapping. If a step fails, everything started before is stopped.
 *
 * @throws PipelineRunningError, JdkNotFoundError, MavenNotFoundError, ArtifactDownloadError, PortTakenError,
 *   EngineStartError, ServiceUnavailableError, or the signal's reason
 */
export async function startPipeline(options: PipelineOptions, hooks: PipelineHooks): Promise<Pipeline> {
  const cleanups = new AsyncDisposableStack();
  try {
    return await new PipelineStart(options, hooks, cleanups).run();
  } catch (error) {
    await cleanups.disposeAsync();
    throw error;
  }
}

/** The steps of the start; what each one starts is stopped in the reverse order. */
class PipelineStart {
  readonly #options: PipelineOptions;
  readonly #hooks: PipelineHooks;
  readonly #cleanups: AsyncDisposableStack;

  constructor(options: PipelineOptions, hooks: PipelineHooks, cleanups: AsyncDisposableStack) {
    this.#options = options;
    this.#hooks = hooks;
    this.#cleanups = cleanups;
  }

  async run(): Promise<Pipeline> {
    const { folder, servers } = this.#options;
    const { step } = this.#hooks;
    await this.#takeFolder();
    const engines = await startPipelineEngines(this.#options, this.#hooks, this.#cleanups);
    const urls = serviceUrls((name) => servers[name] ?? engines[name]?.url);
    const log = fileLog(localLogOf(folder));
    log.info(RUN_BEGINS);
    const clients = connectStores(urls, log, this.#cleanups);
    await step('Bucket, topic and index templates', () => this.#prepareStores(clients, urls));
    const { sources, replay } = await step('Source', async ({ note }) => {
      const started = await startSources(this.#options, this.#cleanups);
      note(started.sources.map(({ config, url }) => url ?? `${config.exchange}, live`).join(', '));
      return started;
    });
    await step('Price history', async ({ note, progress }) => {
      const loaded = await this.#loadHistory(clients.openSearch, urls, (done, total) =>
        progress(done / total, `${done} of ${total} candles`),
      );
      note(loaded === 0 ? 'already loaded' : `${loaded} candles`);
    });
    return step('Functions and event source mapping', async () => {
      const exchanges = [...new Set(sources.map(({ config }) => config.exchange))];
      const insights = this.#host('insights', urls);
      const polled = sources.map((source) => this.#polledSource(source, urls));
      const eventSource = await this.#startEventSource(clients.admin, urls, log);
      const summaries = this.#startSchedules({ urls, exchanges, replay, log });
      const endpoints = endpointsOf({ urls, sources, exchanges, engines });
      writeEndpoints(folder, endpoints);
      this.#cleanups.defer(() => removeEndpoints(folder));
      return {
        endpoints,
        replay,
        lake: new S3Lake(clients.s3, BUCKET),
        admin: clients.admin,
        openSearch: clients.openSearch,
        eventSource,
        summaries,
        sources: polled,
        ask: (event) => insights.invoke(event) as Promise<InsightsResponse>,
        close: () => this.#cleanups.disposeAsync(),
      };
    });
  }

  async #takeFolder(): Promise<void> {
    const { folder } = this.#options;
    const lock = takeLock(folder);
    this.#cleanups.defer(() => lock.release());
    removeEndpoints(folder);
    const leftovers = await stopLeftovers(folder);
    if (leftovers.length > 0) {
      await this.#hooks.step('Stopped what a killed run left', async ({ note }) =>
        note(leftovers.join(', ')),
      );
    }
  }

  #host(name: LocalFunction, urls: ServiceUrls, environment?: Record<string, string>): LambdaFunction {
    const hosted = hostFunction(name, { folder: this.#options.folder, urls, environment });
    this.#cleanups.defer(() => hosted.close());
    return hosted;
  }

  async #prepareStores(clients: StoreClients, urls: ServiceUrls): Promise<void> {
    await prepareStores(clients, urls, this.#hooks.signal);
    const setup = this.#host('setup', urls, { INDEX_SETTINGS: JSON.stringify(INDEX_SETTINGS) });
    await setup.invoke({ RequestType: 'Create' });
    await setup.close();
  }

  async #loadHistory(
    openSearch: Client,
    urls: ServiceUrls,
    onProgress: (done: number, total: number) => void,
  ): Promise<number> {
    const operate = this.#host('operate', urls);
    const invoke = (event: object) => operate.invoke(event);
    const loaded = await loadHistory({ openSearch, operate: invoke, onProgress, signal: this.#hooks.signal });
    await operate.close();
    return loaded;
  }

  #polledSource({ config, url }: WallClockSource, urls: ServiceUrls): PolledSource {
    const ingest = this.#host(usesCcxt(config) ? 'ingest-ccxt' : 'ingest', urls, {
      TICKER_SOURCE: JSON.stringify(config),
      ...(url === undefined ? {} : { TICKER_API_URL: url }),
    });
    return {
      name: config.name,
      exchange: config.exchange,
      poll: (event) => ingest.invoke(event) as Promise<PollReport>,
    };
  }

  async #startEventSource(admin: Admin, urls: ServiceUrls, log: Log): Promise<KafkaEventSource> {
    const { onIndexed, signal } = this.#hooks;
    const index = this.#host('index', urls, { PARTIAL_BATCH_RESPONSE: 'true' });
    const eventSource = startKafkaEventSource({
      brokers: [urls.kafka],
      topic: TOPIC,
      groupId: CONSUMER_GROUP,
      functionName: 'index',
      invoke: (event) => index.invoke(event),
      partialBatchResponse: true,
      bisectOnError: true,
      onFailure: { s3Url: urls.s3, bucket: BUCKET },
      onBatch: ({ result }) => onIndexed(result as KafkaBatchResponse),
      log,
    });
    this.#cleanups.defer(async () => {
      // Otherwise the records of the last polls would wait on the topic for the next start.
      await waitAtMost(
        DRAIN_MS,
        topicEnds(admin).then((ends) => eventSource.waitUntil(ends)),
      );
      await waitAtMost(FINISH_MS, eventSource.stop());
    });
    await eventSource.waitUntilRunning(signal);
    return eventSource;
  }

  #startSchedules(run: {
    urls: ServiceUrls;
    exchanges: string[];
    replay: Replay | undefined;
    log: Log;
  }): SummarySchedule {
    const { urls, exchanges, replay, log } = run;
    const summarise = this.#host('summarise', urls);
    const summaries = summariseAsTimePasses({
      invoke: (event) => summarise.invoke(event) as Promise<SummariseAnswer>,
      onFailed: (error) =>
        log.error('Summarising failed; the next hour tries again', { error: String(error) }),
    });
    const watch = this.#host('watch', urls, { EXCHANGES: JSON.stringify(exchanges) });
    const watching = watchEachMinute({
      invoke: (event) => watch.invoke(event),
      now: () => replay?.clock.position?.slotMs,
      onFailed: (error) => log.error('The watch function failed', { error: String(error) }),
    });
    // A call of summarise that is cut off would keep its lease for some seconds.
    this.#cleanups.defer(() => waitAtMost(FINISH_MS, Promise.all([summaries.stop(), watching.stop()])));
    return summaries;
  }
}

function endpointsOf(run: {
  urls: ServiceUrls;
  sources: readonly WallClockSource[];
  exchanges: string[];
  engines: Engines;
}): Endpoints {
  const { urls, sources, exchanges, engines } = run;
  return {
    kafka: [urls.kafka],
    topic: TOPIC,
    openSearch: urls.openSearch,
    s3: urls.s3,
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
