import { METRIC_GROUPS } from '../core/runtime/metrics.ts';
import type { StageConfig } from '../lib/config/stage-config.ts';
import type { Figures } from './figures.ts';
import { EVENT_BYTES, EVENT_POLLER, MB_A_VCPU, NODES, PAID_BROKER_METRICS } from './limits.ts';
import { HOURS_A_MONTH, pollsAMonth, shortestIntervalMinutes, type Workload } from './workload.ts';

/** Days that old ticks may stay beyond the retention: they go by whole monthly index. */
const LONGEST_MONTH_DAYS = 31;
/** Candles and lake are kept forever; storage is that after so long. */
export const YEARS_KEPT = 1;
const SECONDS_A_MONTH = HOURS_A_MONTH * 3_600;
const GB = 1e9;
const GIB = 2 ** 30;

/** What a month (of 730 h) asks of each part. Bytes and GB are decimal, GiB are not. */
export interface Demand {
  sources: number;
  /** Of all sources together. */
  series: number;
  tickers: number;
  /** Of the fullest minute: every source that is due in it. */
  burstTickers: number;
  polls: number;
  stream: {
    /** Written by producers, on average. */
    bytesASecond: number;
    /** Kept on each broker at the end of the retention. */
    gibPerBroker: number;
    /** Partitions of a broker, copies among them. */
    partitionsPerBroker: number;
    /** On a broker, where every function starts cold at once. */
    newConnections: number;
    paidMetrics: number;
  };
  index: {
    /** The most records that an event of 6 MB holds. */
    recordsPerEvent: number;
    calls: number;
    secondsPerCall: number;
    /** Calls that may run at a time. */
    concurrency: number;
    /** To index the fullest minute's tickers. */
    burstSeconds: number;
    /** To index what an hour's outage of OpenSearch left behind, beside what comes in. */
    catchUpSeconds: number;
    /** Through the pollers, in the fullest minute. */
    pollerBytesASecond: number;
    pollerUnits: number;
  };
  search: {
    documents: number;
    /** Primaries and copies, of all data nodes. */
    storedGib: number;
    tickersGib: number;
    candlesGib: number;
    shards: number;
    largestShardGib: number;
    largestShardDocuments: number;
    /** Cores that indexing keeps busy, copies among it. */
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
    /** Of them by Scheduler. */
    scheduledCalls: number;
    gbSeconds: number;
    ingestSecondsPerCall: number;
    summariseSecondsPerCall: number;
    /** Calls that run at a time where everything is due at once. */
    callsAtATime: number;
  };
  network: {
    /** Through the NAT: what exchanges answer, and the events of pollers on demand. */
    natGb: number;
    betweenZonesGb: number;
  };
  watching: { customMetrics: number; logGb: number; traces: number };
}

/** How much of a core a function has. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const vcpus = ({ memoryMb }: { memoryMb: number }) => Math.min(memoryMb / MB_A_VCPU, 1);

/** Seconds on AWS of what took `seconds` here, `cpuSeconds` of them computing on a whole core. */
const onLambda = (seconds: number, cpuSeconds: number, cores: number) =>
  Math.max(0, seconds - cpuSeconds) + cpuSeconds / cores;

/** What the stage has to do for its sources. */
export function demandOf(config: StageConfig, workload: Workload, figures: Figures): Demand {
  const { sources } = workload;
  const sum = (of: (source: Workload['sources'][number]) => number) =>
    sources.reduce((total, source) => total + of(source), 0);
  const polls = sum(pollsAMonth);
  const tickers = sum((source) => source.tickers * pollsAMonth(source));
  const series = sum((source) => source.tickers);
  // At the full hour every source is due.
  const burstTickers = series;
  const shortestIntervalSeconds = shortestIntervalMinutes(sources) * 60;

  const { topic, brokers } = config.stream;
  const bytesASecond = (tickers * figures.topicBytes) / SECONDS_A_MONTH;

  const indexCores = vcpus(config.functions.index);
  const recordsPerEvent = Math.min(10_000, Math.floor(EVENT_BYTES / figures.eventBytes));
  const indexSeconds =
    onLambda(figures.indexSecondsPer100k, figures.indexCpuSecondsPer100k, indexCores) / 100_000;
  const indexCalls = sum((source) => pollsAMonth(source) * Math.ceil(source.tickers / recordsPerEvent));
  // Lambda keeps the order within a partition: one call of it at a time.
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
  // Full months, the one that ends, the one that begins; candles of each year begun; moves; what summarise remembers.
  const tickerIndices = Math.ceil(tickerDays / 28) + 1;
  const indices = tickerIndices + (YEARS_KEPT + 1) + 1;
  const monthDocuments = tickersADay * LONGEST_MONTH_DAYS;

  const puts = sum((source) => pollsAMonth(source) * (source.categories + 1));
  const lists = sum((source) => pollsAMonth(source) * source.categories);
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
  // A client and the node that it talks to lie in the same zone by chance only.
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
      // Each function asks one broker first who leads what, then holds one connection to each.
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
      putsAndLists: puts + lists,
      gets: polls,
      gbAMonth: lakeGb,
      storedGb: lakeGb * 12 * YEARS_KEPT,
    },
    lambda: {
      calls,
      scheduledCalls,
      gbSeconds,
      ingestSecondsPerCall,
      summariseSecondsPerCall,
      // One for each source, for summarise and for watch, one for each partition that is indexed at a time.
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

/** Our own metrics: one for each value of their dimensions. */
function customMetrics(sources: number, markets: number): number {
  return Object.values<{ dimensions: readonly string[]; metrics: object }>(METRIC_GROUPS).reduce(
    (sum, { dimensions, metrics }) => {
      const series = dimensions.includes('category') ? markets : dimensions.length > 0 ? sources : 1;
      return sum + Object.keys(metrics).length * series;
    },
    0,
  );
}
