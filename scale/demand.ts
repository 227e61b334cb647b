import { METRIC_GROUPS, type MetricGroup, metricGroup } from '../core/runtime/metrics.ts';
import type { StageConfig } from '../lib/config/stage-config.ts';
import type { Figures } from './figures.ts';
import { EVENT_BYTES, EVENT_POLLER, MB_A_VCPU, NODES, PAID_BROKER_METRICS } from './limits.ts';
import {
  HOURS_A_MONTH,
  polledTogether,
  pollsAMonth,
  shortestIntervalMinutes,
  type Workload,
} from './workload.ts';

/** Ticks are deleted by whole months, so some stay this long beyond the retention. */
const LONGEST_MONTH_DAYS = 31;
/** Candles and lake are kept forever; their storage is what has accumulated after this time. */
export const YEARS_KEPT = 1;
const SECONDS_A_MONTH = HOURS_A_MONTH * 3_600;
/** Scheduled redrives. */
const HEALS_A_MONTH = HOURS_A_MONTH * 12;
const DAYS_A_MONTH = HOURS_A_MONTH / 24;
/** Of which one has something to do. */
export const COMPACTIONS_A_NIGHT = 6;
const COMPACTIONS_A_MONTH = DAYS_A_MONTH * COMPACTIONS_A_NIGHT;
/** How many days of each market a run of compact checks. */
const DAYS_LOOKED_AT = 8;
const GB = 1e9;
const GIB = 2 ** 30;

/** A function's share of a core. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const vcpus = ({ memoryMb }: { memoryMb: number }) => Math.min(memoryMb / MB_A_VCPU, 1);

/** Scales a local measurement to Lambda: `cpuSeconds` of it were computing on a whole core. */
const onLambda = (seconds: number, cpuSeconds: number, cores: number) =>
  Math.max(0, seconds - cpuSeconds) + cpuSeconds / cores;

export type Demand = ReturnType<typeof demandOf>;

/** What a month of 730 h requires of each part. Bytes and GB are decimal, GiB are binary. */
export function demandOf(config: StageConfig, workload: Workload, figures: Figures) {
  const total = totalsOf(config, workload);
  const index = indexDemand(config, workload, total, figures);
  const lambda = lambdaDemand(config, total, index, figures);
  return {
    ...total,
    stream: streamDemand(config, total, figures),
    index,
    search: searchDemand(config, total, figures),
    lake: lakeDemand(config, workload, total, figures),
    lambda,
    network: networkDemand(config, total, figures),
    watching: {
      customMetrics: customMetrics(workload, figures),
      logGb:
        (lambda.calls * (figures.logBytesPerCall + figures.systemLogBytesPerCall)) / GB + figures.otherLogGb,
      traces: lambda.calls,
    },
  };
}

type Totals = ReturnType<typeof totalsOf>;

const sumOf = ({ sources }: Workload, of: (source: Workload['sources'][number]) => number) =>
  sources.reduce((total, source) => total + of(source), 0);

function totalsOf(config: StageConfig, workload: Workload) {
  const series = sumOf(workload, (source) => source.tickers);
  const together = polledTogether(config);
  return {
    sources: workload.sources.length,
    /** In all sources together. */
    series,
    tickers: sumOf(workload, (source) => source.tickers * pollsAMonth(source)),
    /** Sources that are polled in the busiest minute. */
    together,
    /** In the busiest minute. */
    burstTickers: (series * together) / workload.sources.length,
    polls: sumOf(workload, pollsAMonth),
  };
}

function streamDemand({ stream }: StageConfig, { together, tickers }: Totals, figures: Figures) {
  const { topic, brokers, monitoring } = stream;
  const bytesASecond = (tickers * figures.topicBytes) / SECONDS_A_MONTH;
  return {
    /** Produced, on average. */
    bytesASecond,
    /** Stored on each broker, at the end of the retention. */
    gibPerBroker: (bytesASecond * topic.retentionHours * 3_600 * topic.replicationFactor) / brokers / GIB,
    /** Including replicas. */
    partitionsPerBroker: (topic.partitions * topic.replicationFactor) / brokers,
    /**
     * Per broker, if all functions of a minute start cold: each bootstraps from one broker, then keeps a connection to each.
     */
    newConnections: together * (1 + 1 / brokers),
    paidMetrics: monitoring === 'DEFAULT' ? 0 : PAID_BROKER_METRICS * brokers,
  };
}

function lakeDemand(
  { retention }: StageConfig,
  workload: Workload,
  { tickers, series }: Totals,
  figures: Figures,
) {
  const categories = sumOf(workload, (source) => source.categories);
  const categoryPolls = sumOf(workload, (source) => source.categories * pollsAMonth(source));
  const gbAMonth = (tickers * figures.lakeBytes) / GB;
  const monthFilesGb =
    (series *
      DAYS_A_MONTH *
      (24 * figures.candleColumnBytes + figures.movesPerSeriesDay * figures.moveColumnBytes)) /
    GB;
  // Each day replaces the month's files, which are half full on average.
  const replacedGb = (monthFilesGb / 2) * retention.oldVersionDays;
  return {
    // Each category of a poll: its batch and its marker are written, the marker is read, what lies beyond it is listed.
    // A scheduled redrive lists the batches given up, before and after, and the dead letters.
    // Compact lists the days that it looks at, and writes three files and their manifests for each category and day.
    putsAndLists:
      3 * categoryPolls +
      3 * HEALS_A_MONTH +
      categories * (COMPACTIONS_A_MONTH * DAYS_LOOKED_AT + DAYS_A_MONTH * 6),
    // A marker each poll, and each batch once for its Parquet file.
    gets: 2 * categoryPolls,
    gbAMonth,
    /** After YEARS_KEPT. */
    storedGb: gbAMonth * 12 * YEARS_KEPT,
    /** Parquet after YEARS_KEPT, with what was replaced lately. */
    columnsGb: ((tickers * figures.columnBytes) / GB + monthFilesGb) * 12 * YEARS_KEPT + replacedGb,
  };
}

function indexDemand(
  config: StageConfig,
  workload: Workload,
  { tickers, burstTickers }: Totals,
  figures: Figures,
) {
  const { partitions } = config.stream.topic;
  const { provisioned, minimumPollers, maximumPollers } = config.index;
  const recordsPerEvent = Math.min(10_000, Math.floor(EVENT_BYTES / figures.eventBytes));
  const secondsPerTicker =
    onLambda(figures.indexSecondsPer100k, figures.indexCpuSecondsPer100k, vcpus(config.functions.index)) /
    100_000;
  const calls = sumOf(
    workload,
    (source) => pollsAMonth(source) * Math.ceil(source.tickers / recordsPerEvent),
  );
  // Lambda keeps the order within a partition: one call per partition at a time.
  const concurrency = provisioned
    ? Math.min(partitions, maximumPollers * EVENT_POLLER.concurrentCalls)
    : partitions;
  const node = NODES[config.search.dataNodeType];
  const serverCores = node ? node.vcpus * node.baseline * config.search.dataNodes : Number.POSITIVE_INFINITY;
  const tickersASecond = tickers / SECONDS_A_MONTH;
  const spareTickersASecond =
    Math.min(concurrency / secondsPerTicker, serverCores / serverSeconds(config, figures)) - tickersASecond;
  return {
    /** The maximum that an event of 6 MB holds. */
    recordsPerEvent,
    calls,
    secondsPerCall: (secondsPerTicker * tickers) / calls,
    /** Concurrent calls. */
    concurrency,
    /** To index the busiest minute's tickers. */
    burstSeconds: (burstTickers * secondsPerTicker) / concurrency,
    /** To index the backlog of an hour-long OpenSearch outage, in addition to new tickers. */
    catchUpSeconds:
      spareTickersASecond > 0 ? (tickersASecond * 3_600) / spareTickersASecond : Number.POSITIVE_INFINITY,
    /** Through the pollers, in the busiest minute. */
    pollerBytesASecond:
      (burstTickers * figures.eventBytes) / (shortestIntervalMinutes(workload.sources) * 60),
    pollerUnits: provisioned ? Math.ceil(minimumPollers / EVENT_POLLER.inAUnit) : 0,
  };
}

/** CPU of the domain for one ticker, replicas included. */
const serverSeconds = ({ search }: StageConfig, figures: Figures) =>
  (figures.openSearchCpuSecondsPer100k * (1 + search.indices.replicas)) / 100_000;

function searchDemand(config: StageConfig, { tickers, series }: Totals, figures: Figures) {
  const { shards, replicas } = config.search.indices;
  const copies = 1 + replicas;
  const tickersADay = tickers / (HOURS_A_MONTH / 24);
  const tickerDays = config.retention.tickDays + LONGEST_MONTH_DAYS;
  const candles = series * 24 * 365 * YEARS_KEPT;
  const moves = series * 365 * YEARS_KEPT * figures.movesPerSeriesDay;
  const tickersGib = (tickersADay * tickerDays * figures.tickerIndexBytes * copies) / GIB;
  const candlesGib = ((candles * figures.candleIndexBytes + moves * figures.moveIndexBytes) * copies) / GIB;
  // Full months plus the current one; candles of each year begun; moves.
  const indices = Math.ceil(tickerDays / 28) + 1 + (YEARS_KEPT + 1) + 1;
  const monthDocuments = tickersADay * LONGEST_MONTH_DAYS;
  return {
    documents: tickersADay * tickerDays + candles + moves,
    /** Primaries and replicas on all data nodes. */
    storedGib: tickersGib + candlesGib,
    tickersGib,
    candlesGib,
    // Two small indices of summarising have one shard each.
    shards: (indices * shards + 2) * copies,
    largestShardGib: (monthDocuments * figures.tickerIndexBytes) / shards / GIB,
    largestShardDocuments: monthDocuments / shards,
    /** Cores that indexing keeps busy. */
    indexingCores: (tickers / SECONDS_A_MONTH) * serverSeconds(config, figures),
  };
}

function lambdaDemand(
  { functions }: StageConfig,
  { sources, together, series, polls, tickers }: Totals,
  index: ReturnType<typeof indexDemand>,
  figures: Figures,
) {
  const ingestSecondsPerCall =
    figures.exchangeWaitSeconds +
    (figures.pollSecondsPer1000 * (series / sources / 1_000)) / vcpus(functions.ingest);
  const summariseSecondsPer1000Series = onLambda(
    figures.summariseSecondsPer1000Series,
    figures.summariseCpuSecondsPer1000Series,
    vcpus(functions.summarise),
  );
  const summariseSecondsPerCall = (summariseSecondsPer1000Series * series) / 1_000;
  const looks = HOURS_A_MONTH * 60;
  const scheduledCalls = polls + HOURS_A_MONTH + looks + HEALS_A_MONTH + COMPACTIONS_A_MONTH;
  const compactSecondsPerDay =
    (tickers / DAYS_A_MONTH / 1e6) * (figures.compactSecondsPerMillion / vcpus(functions.compact));
  const compactSeconds =
    DAYS_A_MONTH * compactSecondsPerDay + COMPACTIONS_A_MONTH * figures.compactLookSeconds;
  return {
    calls: scheduledCalls + index.calls,
    /** Calls by Scheduler. */
    scheduledCalls,
    gbSeconds:
      (polls * ingestSecondsPerCall * functions.ingest.memoryMb +
        index.calls * index.secondsPerCall * functions.index.memoryMb +
        HOURS_A_MONTH * summariseSecondsPerCall * functions.summarise.memoryMb +
        looks * figures.watchSeconds * functions.watch.memoryMb +
        // With nothing to redrive it takes as long as a look.
        HEALS_A_MONTH * figures.watchSeconds * functions.operate.memoryMb +
        compactSeconds * functions.compact.memoryMb) /
      1_024,
    ingestSecondsPerCall,
    summariseSecondsPerCall,
    /** Of all markets, candles and moves included. */
    compactSecondsPerDay,
    /** In the busiest minute: each of its sources, summarise, watch, compact, and each partition that is being indexed. */
    callsAtATime: together + 3 + index.concurrency,
  };
}

function networkDemand({ network, index }: StageConfig, { tickers }: Totals, figures: Figures) {
  // Clients and nodes share a zone only by chance.
  const elsewhere = 1 - 1 / network.availabilityZones;
  const eventGb = (tickers * figures.eventBytes) / GB;
  return {
    /** Responses of exchanges, and the events of on-demand pollers. */
    natGb: (tickers * figures.responseBytes) / GB + (index.provisioned ? 0 : eventGb),
    betweenZonesGb: ((tickers * (2 * figures.topicBytes + figures.bulkBytes)) / GB) * elsewhere,
  };
}

/**
 * The metrics that the functions emit, by the number of values of their dimensions. CloudWatch bills by the hour, so those
 * of trouble count for the share of hours that have some.
 */
function customMetrics(workload: Workload, { troubledShare }: Figures): number {
  const sources = workload.sources.length;
  return (Object.keys(METRIC_GROUPS) as MetricGroup[]).reduce((sum, group) => {
    const { dimensions, metrics, ofStage = [], rare = [] } = metricGroup(group);
    const always = Object.keys(metrics).length - ofStage.length - rare.length;
    const each = dimensions.length > 0 ? sources : 1;
    return sum + ofStage.length + (always + rare.length * troubledShare) * each;
  }, 0);
}
