import { METRIC_GROUPS } from '../core/runtime/metrics.ts';
import type { StageConfig } from '../lib/config/stage-config.ts';
import type { Figures } from './figures.ts';
import { EVENT_BYTES, EVENT_POLLER, MB_A_VCPU, NODES, PAID_BROKER_METRICS } from './limits.ts';
import { HOURS_A_MONTH, pollsAMonth, shortestIntervalMinutes, type Workload } from './workload.ts';

/** Ticks are deleted by whole months, so some stay this long beyond the retention. */
const LONGEST_MONTH_DAYS = 31;
/** Candles and lake are kept forever; their storage is what has accumulated after this time. */
export const YEARS_KEPT = 1;
const SECONDS_A_MONTH = HOURS_A_MONTH * 3_600;
const GB = 1e9;
const GIB = 2 ** 30;

/** What a month of 730 h requires of each part. Bytes and GB are decimal, GiB are binary. */
export interface Demand {
  sources: number;
  /** In all sources together. */
  series: number;
  tickers: number;
  /** In the busiest minute, when every source is due. */
  burstTickers: number;
  polls: number;
  stream: {
    /** Produced, on average. */
    bytesASecond: number;
    /** Stored on each broker, at the end of the retention. */
    gibPerBroker: number;
    /** Including replicas. */
    partitionsPerBroker: number;
    /** Per broker, if all functions start cold at once. */
    newConnections: number;
    paidMetrics: number;
  };
  index: {
    /** The maximum that an event of 6 MB holds. */
    recordsPerEvent: number;
    calls: number;
    secondsPerCall: number;
    /** Concurrent calls. */
    concurrency: number;
    /** To index the busiest minute's tickers. */
    burstSeconds: number;
    /** To index the backlog of an hour-long OpenSearch outage, in addition to new tickers. */
    catchUpSeconds: number;
    /** Through the pollers, in the busiest minute. */
    pollerBytesASecond: number;
    pollerUnits: number;
  };
  search: {
    documents: number;
    /** Primaries and replicas on all data nodes. */
    storedGib: number;
    tickersGib: number;
    candlesGib: number;
    shards: number;
    largestShardGib: number;
    largestShardDocuments: number;
    /** Cores that indexing keeps busy, replicas included. */
    indexingCores: number;
  };
  lake: {
    putsAndLists: number;
    gets: number;
    gbAMonth: number;
    /** After YEARS_KEPT. */
    storedGb: number;
  };
  lambda: {
    calls: number;
    /** Calls by Scheduler. */
    scheduledCalls: number;
    gbSeconds: number;
    ingestSecondsPerCall: number;
    summariseSecondsPerCall: number;
    /** Concurrent calls when everything is due at once. */
    callsAtATime: number;
  };
  network: {
    /** Responses of exchanges, and the events of on-demand pollers. */
    natGb: number;
    betweenZonesGb: number;
  };
  watching: { customMetrics: number; logGb: number; traces: number };
}

/** A function's share of a core. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const vcpus = ({ memoryMb }: { memoryMb: number }) => Math.min(memoryMb / MB_A_VCPU, 1);

/** Scales a local measurement to Lambda: `cpuSeconds` of it were computing on a whole core. */
const onLambda = (seconds: number, cpuSeconds: number, cores: number) =>
  Math.max(0, seconds - cpuSeconds) + cpuSeconds / cores;

export function demandOf(config: StageConfig, workload: Workload, figures: Figures): Demand {
  const { sources } = workload;
  const sum = (of: (source: Workload['sources'][number]) => number) =>
    sources.reduce((total, source) => total + of(source), 0);
  const polls = sum(pollsAMonth);
  const tickers = sum((source) => source.tickers * pollsAMonth(source));
  const series = sum((source) => source.tickers);
  // On the hour every source is due.
  const burstTickers = series;
  const shortestIntervalSeconds = shortestIntervalMinutes(sources) * 60;

  const { topic, brokers } = config.stream;
  const bytesASecond = (tickers * figures.topicBytes) / SECONDS_A_MONTH;

  const indexCores = vcpus(config.functions.index);
  const recordsPerEvent = Math.min(10_000, Math.floor(EVENT_BYTES / figures.eventBytes));
  const indexSeconds =
    onLambda(figures.indexSecondsPer100k, figures.indexCpuSecondsPer100k, indexCores) / 100_000;
  const indexCalls = sum((source) => pollsAMonth(source) * Math.ceil(source.tickers / recordsPerEvent));
  // Lambda keeps the order within a partition: one call per partition at a time.
  const concurrency = config.index.provisioned
    ? Math.min(topic.partitions, config.index.maximumPollers * EVENT_POLLER.concurrentCalls)
    : topic.partitions;

  const { shards, replicas } = config.search.indices;
  const copies = 1 + replicas;
  const serverSeconds = (figures.openSearchCpuSecondsPer100k * copies) / 100_000;
  const node = NODES[config.search.dataNodeType];
  const serverCores = node ? node.vcpus * node.baseline * config.search.dataNodes : Number.POSITIVE_INFINITY;
  const tickersASecond = tickers / SECONDS_A_MONTH;
  const spareTickersASecond =
    Math.min(concurrency / indexSeconds, serverCores / serverSeconds) - tickersASecond;

  const tickersADay = tickers / (HOURS_A_MONTH / 24);
  const tickerDays = config.retention.tickDays + LONGEST_MONTH_DAYS;
  const candles = series * 24 * 365 * YEARS_KEPT;
  const moves = series * 365 * YEARS_KEPT * figures.movesPerSeriesDay;
  const tickersGib = (tickersADay * tickerDays * figures.tickerIndexBytes * copies) / GIB;
  const candlesGib = ((candles * figures.candleIndexBytes + moves * figures.moveIndexBytes) * copies) / GIB;
  // Full months plus the current one; candles of each year begun; moves.
  const tickerIndices = Math.ceil(tickerDays / 28) + 1;
  const indices = tickerIndices + (YEARS_KEPT + 1) + 1;
  const monthDocuments = tickersADay * LONGEST_MONTH_DAYS;

  // Each category of a poll: its batch and its marker are written, the marker is read, what lies beyond it is listed.
  const categoryPolls = sum((source) => pollsAMonth(source) * source.categories);
  const lakeGb = (tickers * figures.lakeBytes) / GB;

  const ingestSecondsPerCall =
    figures.exchangeWaitSeconds +
    (figures.pollSecondsPer1000 * (series / sources.length / 1_000)) / vcpus(config.functions.ingest);
  const summariseSecondsPerCall =
    (onLambda(
      figures.summariseSecondsPer1000Series,
      figures.summariseCpuSecondsPer1000Series,
      vcpus(config.functions.summarise),
    ) *
      series) /
    1_000;
  const secondsPerIndexCall = (indexSeconds * tickers) / indexCalls;
  const looks = HOURS_A_MONTH * 60;
  const gbSeconds =
    (polls * ingestSecondsPerCall * config.functions.ingest.memoryMb +
      indexCalls * secondsPerIndexCall * config.functions.index.memoryMb +
      HOURS_A_MONTH * summariseSecondsPerCall * config.functions.summarise.memoryMb +
      looks * figures.watchSeconds * config.functions.watch.memoryMb) /
    1_024;
  const scheduledCalls = polls + HOURS_A_MONTH + looks;
  const calls = scheduledCalls + indexCalls;

  const { availabilityZones } = config.network;
  // Clients and nodes share a zone only by chance.
  const elsewhere = 1 - 1 / availabilityZones;
  const eventGb = (tickers * figures.eventBytes) / GB;

  return {
    sources: sources.length,
    series,
    tickers,
    burstTickers,
    polls,
    stream: {
      bytesASecond,
      gibPerBroker: (bytesASecond * topic.retentionHours * 3_600 * topic.replicationFactor) / brokers / GIB,
      partitionsPerBroker: (topic.partitions * topic.replicationFactor) / brokers,
      // Each function bootstraps from one broker, then keeps a connection to each.
      newConnections: sources.length * (1 + 1 / brokers),
      paidMetrics: config.stream.monitoring === 'DEFAULT' ? 0 : PAID_BROKER_METRICS * brokers,
    },
    index: {
      recordsPerEvent,
      calls: indexCalls,
      secondsPerCall: secondsPerIndexCall,
      concurrency,
      burstSeconds: (burstTickers * indexSeconds) / concurrency,
      catchUpSeconds:
        spareTickersASecond > 0 ? (tickersASecond * 3_600) / spareTickersASecond : Number.POSITIVE_INFINITY,
      pollerBytesASecond: (burstTickers * figures.eventBytes) / shortestIntervalSeconds,
      pollerUnits: config.index.provisioned
        ? Math.ceil(config.index.minimumPollers / EVENT_POLLER.inAUnit)
        : 0,
    },
    search: {
      documents: tickersADay * tickerDays + candles + moves,
      storedGib: tickersGib + candlesGib,
      tickersGib,
      candlesGib,
      shards: (indices * shards + 1) * copies,
      largestShardGib: (monthDocuments * figures.tickerIndexBytes) / shards / GIB,
      largestShardDocuments: monthDocuments / shards,
      indexingCores: tickersASecond * serverSeconds,
    },
    lake: {
      putsAndLists: 3 * categoryPolls,
      gets: categoryPolls,
      gbAMonth: lakeGb,
      storedGb: lakeGb * 12 * YEARS_KEPT,
    },
    lambda: {
      calls,
      scheduledCalls,
      gbSeconds,
      ingestSecondsPerCall,
      summariseSecondsPerCall,
      // One per source, summarise, watch, and one per partition that is indexed concurrently.
      callsAtATime: sources.length + 2 + concurrency,
    },
    network: {
      natGb: (tickers * figures.responseBytes) / GB + (config.index.provisioned ? 0 : eventGb),
      betweenZonesGb: ((tickers * (2 * figures.topicBytes + figures.bulkBytes)) / GB) * elsewhere,
    },
    watching: {
      customMetrics: customMetrics(
        sources.length,
        sum(({ categories }) => categories),
      ),
      logGb: (calls * (figures.logBytesPerCall + figures.systemLogBytesPerCall)) / GB + figures.otherLogGb,
      traces: calls,
    },
  };
}

/** The metrics that the functions emit: one per value of their dimensions. */
function customMetrics(sources: number, markets: number): number {
  return Object.values<{ dimensions: readonly string[]; metrics: object }>(METRIC_GROUPS).reduce(
    (sum, { dimensions, metrics }) => {
      const series = dimensions.includes('category') ? markets : dimensions.length > 0 ? sources : 1;
      return sum + Object.keys(metrics).length * series;
    },
    0,
  );
}
