import { RESERVES_MS } from '../core/runtime/budgets.ts';
import type { StageConfig } from '../lib/config/stage-config.ts';
import { COMPACTIONS_A_NIGHT, type Demand } from './demand.ts';
import { at, type Inventory } from './growing.ts';
import {
  BIGGER,
  BROKERS,
  EVENT_POLLER,
  heapGib,
  MB_A_VCPU,
  METRIC_ALARMS,
  NODES,
  ROLES,
  SHARD_DOCUMENTS,
  SHARD_GIB,
  SHARDS_A_GIB_OF_HEAP,
  STACK,
  usableGib,
} from './limits.ts';
import { shortestIntervalMinutes } from './workload.ts';

/** How much of a limit is used. */
export interface Headroom {
  what: string;
  use: number;
  limit: number;
  unit: string;
  /** use ÷ limit */
  share: number;
  state: 'ok' | 'near' | 'over';
  /** The settings, or whatever else, that raise the limit. */
  moves: string;
  /** Raises a setting by one step. @default no setting helps */
  raise?: () => Record<string, unknown>;
}

/** The share from which a limit counts as near. */
export const NEAR = 0.7;
/** Larger volumes take too long to move to another node; add nodes instead. */
const LARGEST_VOLUME_GB = 1_000;

/** How long a poll keeps trying to connect: what the exchange leaves of its time. */
const connectSeconds = ({ functions }: StageConfig, { lambda }: Demand) =>
  functions.ingest.timeoutSeconds - lambda.ingestSecondsPerCall - RESERVES_MS.pollFinish / 1_000;

const roundUp = (value: number, step: number) => Math.ceil(value / step) * step;

interface Limit extends Pick<Headroom, 'what' | 'use' | 'moves'> {
  /** @default none */
  unit?: string;
  /** undefined if it does not apply, or AWS's limit for the type is not in `limits.ts`: then there is no row. */
  limit: number | undefined;
  raise?: Headroom['raise'] | undefined;
  /** Whether using all of it is fine. */
  mayBeFull?: boolean;
}

function rowOf({ limit, unit = '', raise, mayBeFull, ...row }: Limit): Headroom[] {
  if (limit === undefined) return [];
  const share = row.use / limit;
  const near = share > NEAR && !mayBeFull;
  const state = share > 1 ? 'over' : near ? 'near' : 'ok';
  return [{ ...row, limit, unit, share, state, ...(raise ? { raise } : {}) }];
}

/** Every limit that matters as exchanges are added. */
export function headroomOf(config: StageConfig, demand: Demand, inventory: Inventory): Headroom[] {
  const { stream, functions, alarms } = config;
  const limits: Limit[] = [
    ...(stream.existing ? [] : kafkaLimits(config, demand)),
    ...indexLimits(config, demand),
    ...openSearchLimits(config, demand),
    {
      what: 'ingest: duration of a poll',
      use: demand.lambda.ingestSecondsPerCall,
      limit: functions.ingest.timeoutSeconds,
      unit: 's',
      moves: 'functions.ingest.timeoutSeconds, .memoryMb',
    },
    {
      what: 'summarise: duration per hour of data',
      use: demand.lambda.summariseSecondsPerCall,
      limit: functions.summarise.timeoutSeconds,
      unit: 's',
      moves: 'functions.summarise.timeoutSeconds (at most 900), .memoryMb',
      raise: raiseSummarise(functions.summarise),
    },
    {
      what: 'compact: the files of a day, in all runs of a night',
      use: demand.lambda.compactSecondsPerDay,
      limit: COMPACTIONS_A_NIGHT * functions.compact.timeoutSeconds,
      unit: 's',
      moves: 'functions.compact.memoryMb',
    },
    {
      what: 'Lambda: concurrent calls',
      use: demand.lambda.callsAtATime,
      limit: alarms.concurrencyQuota,
      moves: "the account's quota (alarms.concurrencyQuota)",
    },
    ...deploymentLimits(inventory, demand.sources),
  ];
  return limits.flatMap(rowOf);
}

function deploymentLimits(inventory: Inventory, sources: number): Limit[] {
  const moves = 'more stages, each with some of the sources';
  return [
    {
      what: 'CloudFormation: resources per stack',
      use: at(inventory.stackResources, sources),
      limit: STACK.resources,
      moves,
    },
    {
      what: 'CloudFormation: resources of a deployment, with nested stacks',
      use: at(inventory.deployedResources, sources),
      limit: STACK.resourcesOfAnOperation,
      moves,
    },
    {
      what: 'CloudFormation: size of the largest template',
      use: at(inventory.templateSize, sources) / 1_000,
      limit: STACK.templateBytes / 1_000,
      unit: 'kB',
      moves,
    },
    {
      what: 'CloudFormation: outputs per stack',
      use: at(inventory.outputs, sources),
      limit: STACK.outputs,
      moves,
    },
    { what: 'IAM: roles', use: at(inventory.roles, sources), limit: ROLES, moves: "the account's quota" },
    {
      what: 'CloudWatch: alarms',
      use: at(inventory.metricAlarms, sources),
      limit: METRIC_ALARMS,
      moves: "the account's quota",
    },
  ];
}

function kafkaLimits(config: StageConfig, demand: Demand): Limit[] {
  const { stream } = config;
  const seconds = connectSeconds(config, demand);
  const broker = BROKERS[stream.instanceType];
  const bigger = BIGGER[stream.instanceType];
  const raiseBroker = bigger ? () => ({ stream: { instanceType: bigger } }) : undefined;
  return [
    {
      what: 'Kafka: storage per broker',
      use: demand.stream.gibPerBroker,
      limit: stream.storageGb,
      unit: 'GiB',
      moves: 'stream.storageGb, stream.topic.retentionHours',
      raise: () => ({ stream: { storageGb: roundUp(stream.storageGb * 1.5, 10) } }),
    },
    {
      what: 'Kafka: partitions per broker',
      use: demand.stream.partitionsPerBroker,
      limit: broker?.partitions,
      moves: 'stream.instanceType, stream.brokers',
      raise: raiseBroker,
    },
    {
      what: 'Kafka: new IAM connections per broker, if all functions of a minute start cold',
      use: demand.stream.newConnections,
      limit: broker && broker.newIamConnections * seconds,
      unit: `within the ${Math.round(seconds)} s of a poll`,
      moves: 'stream.instanceType',
      raise: raiseBroker,
    },
  ];
}

function indexLimits({ stream, index, sources }: StageConfig, demand: Demand): Limit[] {
  const partitions = stream.topic.partitions * 2;
  const pollers = Math.ceil(partitions / EVENT_POLLER.concurrentCalls);
  return [
    {
      what: 'index: time for the busiest minute',
      use: demand.index.burstSeconds,
      limit: shortestIntervalMinutes(sources) * 60,
      unit: 's',
      moves: 'stream.topic.partitions, functions.index.memoryMb',
      raise: () => ({
        stream: { topic: { partitions } },
        index: { maximumPollers: Math.max(index.maximumPollers, pollers) },
      }),
    },
    {
      what: 'index: records in a 6 MB event',
      use: Math.min(demand.series / demand.sources, demand.index.recordsPerEvent),
      limit: demand.index.recordsPerEvent,
      unit: 'records',
      moves: 'not needed: further events carry the rest',
      mayBeFull: true,
    },
    {
      what: 'index: pollers',
      use: demand.index.pollerBytesASecond / 1e6,
      limit: index.provisioned ? index.maximumPollers * EVENT_POLLER.megabytesASecond : undefined,
      unit: 'MB/s',
      moves: 'index.maximumPollers',
      raise: () => ({ index: { maximumPollers: index.maximumPollers + 1 } }),
    },
  ];
}

function openSearchLimits({ search, network }: StageConfig, demand: Demand): Limit[] {
  const { availabilityZones } = network;
  const { dataNodes, dataNodeType, volumeGb, indices } = search;
  const node = NODES[dataNodeType];
  const bigger = BIGGER[dataNodeType];
  const moreNodes = () => ({
    search: { dataNodes: dataNodes === 1 ? availabilityZones : dataNodes + availabilityZones },
  });
  const raiseNode = bigger ? () => ({ search: { dataNodeType: bigger } }) : moreNodes;
  const largest = Math.min(LARGEST_VOLUME_GB, node?.volumeGib ?? LARGEST_VOLUME_GB);
  const raiseStorage = () => {
    if (volumeGb < largest) {
      return { search: { volumeGb: Math.min(largest, roundUp(volumeGb * 1.25, 10)) } };
    }
    return largest < LARGEST_VOLUME_GB ? raiseNode() : moreNodes();
  };
  const byShards = {
    moves: 'search.indices.shards',
    raise: () => ({ search: { indices: { shards: indices.shards + dataNodes } } }),
  };
  const byNodes = { moves: 'search.dataNodeType, search.dataNodes', raise: raiseNode };
  return [
    {
      what: 'OpenSearch: storage',
      use: demand.search.storedGib,
      limit: usableGib(volumeGb) * dataNodes,
      unit: 'GiB',
      moves: 'search.volumeGb, search.dataNodes, retention.tickDays',
      raise: raiseStorage,
    },
    {
      what: 'OpenSearch: volume per node',
      use: volumeGb,
      limit: node?.volumeGib,
      unit: 'GiB',
      moves: 'search.dataNodeType',
      raise: raiseNode,
      mayBeFull: true,
    },
    {
      what: 'OpenSearch: shards',
      use: demand.search.shards,
      limit: node && heapGib(node) * SHARDS_A_GIB_OF_HEAP * dataNodes,
      ...byNodes,
    },
    {
      what: 'OpenSearch: size of the largest shard',
      use: demand.search.largestShardGib,
      limit: SHARD_GIB,
      unit: 'GiB',
      ...byShards,
    },
    {
      what: 'OpenSearch: documents in the largest shard',
      use: demand.search.largestShardDocuments / 1e6,
      limit: SHARD_DOCUMENTS / 1e6,
      unit: 'million',
      ...byShards,
    },
    {
      what: 'OpenSearch: cores busy indexing',
      use: demand.search.indexingCores,
      limit: node && node.vcpus * node.baseline * dataNodes,
      ...byNodes,
    },
  ];
}

/** First Lambda's maximum timeout, then a whole core. */
function raiseSummarise(size: StageConfig['functions']['summarise']): Limit['raise'] {
  const { timeoutSeconds, memoryMb } = size;
  if (timeoutSeconds < 900) return () => ({ functions: { summarise: { timeoutSeconds: 900 } } });
  if (memoryMb < MB_A_VCPU) return () => ({ functions: { summarise: { memoryMb: MB_A_VCPU } } });
  return undefined;
}
