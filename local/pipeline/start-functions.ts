import type { Admin } from 'kafkajs';
import type { CompactOutput } from '../../core/columns/compact.ts';
import type { PollReport } from '../../core/ingest/report.ts';
import { DAY_MS, HOUR_MS } from '../../core/market/time.ts';
import { HEAL_EVENT } from '../../core/operate/heal.ts';
import type { Log } from '../../core/runtime/log.ts';
import { waitAtMost } from '../../core/runtime/wait.ts';
import { usesCcxt } from '../../exchanges/source-config.ts';
import type { KafkaBatchResponse } from '../../lambdas/index/handler.ts';
import type { SummariseAnswer } from '../../lambdas/summarise/handler.ts';
import type { ServiceUrls } from '../engines/engines.ts';
import { type KafkaEventSource, startKafkaEventSource } from '../event-sources/kafka-event-source.ts';
import type { LambdaFunction } from '../lambda-host/host.ts';
import { callAsTimePasses, type PassingSchedule } from '../schedule/as-time-passes.ts';
import { callRepeatedly } from '../schedule/repeated.ts';
import type { LocalFunction } from './functions.ts';
import type { PipelineHooks, WallClockSource } from './options.ts';
import { BUCKET, CONSUMER_GROUP, TOPIC, topicEnds } from './resources.ts';
import type { Replay } from './sources.ts';

/** Hosts a function until the pipeline is closed. */
export type Host = (name: LocalFunction, environment?: Record<string, string>) => LambdaFunction;

/** A source and its ingest function. */
export interface PolledSource {
  name: string;
  exchange: string;
  /** Calls the function with the scheduler's input. */
  poll(event: { slot: string }): Promise<PollReport>;
}

/** Ctrl-C may take 10 s: this much for the current batch, the rest for the engines. */
const FINISH_MS = 2_500;
const DRAIN_MS = 1_500;

export function polledSource({ config, url }: WallClockSource, host: Host): PolledSource {
  const ingest = host(usesCcxt(config) ? 'ingest-ccxt' : 'ingest', {
    TICKER_SOURCE: JSON.stringify(config),
    ...(url === undefined ? {} : { TICKER_API_URL: url }),
  });
  return {
    name: config.name,
    exchange: config.exchange,
    poll: (event) => ingest.invoke(event) as Promise<PollReport>,
  };
}

/** The index function and its event source mapping. */
export function startEventSource(
  run: { host: Host; urls: ServiceUrls; admin: Admin; log: Log } & Pick<PipelineHooks, 'onIndexed'>,
  cleanups: AsyncDisposableStack,
): KafkaEventSource {
  const { host, urls, admin, log, onIndexed } = run;
  const index = host('index', { PARTIAL_BATCH_RESPONSE: 'true' });
  const eventSource = startKafkaEventSource({
    brokers: urls.kafka.split(','),
    topic: TOPIC,
    groupId: CONSUMER_GROUP,
    functionName: 'index',
    invoke: (event) => index.invoke(event),
    partialBatchResponse: true,
    bisectOnError: true,
    // As on AWS with provisioned pollers: a batch comes again until it works.
    maximumRetryAttempts: 10_000,
    onFailure: { s3Url: urls.s3, bucket: BUCKET },
    onBatch: ({ result }) => onIndexed(result as KafkaBatchResponse),
    log,
  });
  cleanups.defer(async () => {
    // Otherwise the records of the last polls would wait on the topic for the next start.
    const drained = topicEnds(admin).then((ends) => eventSource.waitUntil(ends));
    await waitAtMost(DRAIN_MS, drained);
    await waitAtMost(FINISH_MS, eventSource.stop());
  });
  return eventSource;
}

/** What a run tells the schedules; they stop with the pipeline. */
export type PipelineSchedules = Pick<PassingSchedule, 'passed' | 'settled'>;

/** The functions summarise, compact, watch and operate, and their schedules. */
export function startSchedules(
  run: { host: Host; exchanges: string[]; replay: Replay | undefined; log: Log },
  cleanups: AsyncDisposableStack,
): PipelineSchedules {
  const { host, exchanges, replay, log } = run;
  const summarise = host('summarise');
  const summaries = callAsTimePasses({
    everyMs: HOUR_MS,
    invoke: (event) => summarise.invoke(event) as Promise<SummariseAnswer>,
    onFailed: (error) => log.error('Summarising failed; the next hour tries again', { error: String(error) }),
  });
  let compact: LambdaFunction | undefined;
  const compactions = callAsTimePasses({
    everyMs: DAY_MS,
    invoke: async (event) => {
      compact ??= host('compact');
      const { due, written, failed } = (await compact.invoke(event)) as CompactOutput;
      return { done: due === written + failed };
    },
    onFailed: (error) => log.error('Compacting failed; the next day tries again', { error: String(error) }),
    // A replay begins with years of recorded candles: their files would take all of its first minute.
    firstCounts: replay === undefined,
    // A fast replay passes a day in seconds.
    pauseMs: 5_000,
  });
  const watch = host('watch', { EXCHANGES: JSON.stringify(exchanges) });
  const watching = callRepeatedly({
    call: () => watch.invoke(timeEvent(replay)),
    // There is some data by then.
    firstMs: 5_000,
    onFailed: (error) => log.error('The watch function failed', { error: String(error) }),
  });
  let operate: LambdaFunction | undefined;
  const healing = callRepeatedly({
    call: () => {
      // Only now, because a short run needs no repairs.
      operate ??= host('operate');
      return operate.invoke(HEAL_EVENT);
    },
    onFailed: (error) => log.error('The scheduled redrive failed', { error: String(error) }),
  });
  const all = [summaries, compactions, watching, healing];
  // A call of summarise that is cut off would keep its lease for some seconds.
  cleanups.defer(() => waitAtMost(FINISH_MS, Promise.all(all.map((schedule) => schedule.stop()))));
  return {
    passed(nowMs) {
      summaries.passed(nowMs);
      compactions.passed(nowMs);
    },
    // The closing report needs the summaries. What is left to compact can wait for the next start.
    settled: () => summaries.settled(),
  };
}

/** The event of a schedule that passes the time only if it is the replay's. */
function timeEvent(replay: Replay | undefined): { now?: string } {
  const nowMs = replay?.clock.position?.slotMs;
  return nowMs === undefined ? {} : { now: new Date(nowMs).toISOString() };
}
