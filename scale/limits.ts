/*
 * AWS's limits, with their sources. Types that are not listed have no row in the tables.
 */

/** https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html#partitions-per-broker and …/limits.html */
export interface BrokerLimits {
  /** Including replicas. */
  partitions: number;
  /** Per second. */
  newIamConnections: number;
}

export const BROKERS: Readonly<Record<string, BrokerLimits>> = {
  'kafka.t3.small': { partitions: 300, newIamConnections: 4 },
  'kafka.m5.large': { partitions: 1_000, newIamConnections: 100 },
  'kafka.m7g.large': { partitions: 1_000, newIamConnections: 100 },
  'kafka.m7g.xlarge': { partitions: 1_000, newIamConnections: 100 },
  'kafka.m7g.2xlarge': { partitions: 2_000, newIamConnections: 100 },
};

/**
 * https://aws.amazon.com/opensearch-service/pricing/; the baseline of T3: https://aws.amazon.com/ec2/instance-types/t3/;
 * volumes: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/limits.html#ebsresource (those of R7g
 * and M7g are taken from R6g and M6g, the newest ones on the page at the time).
 */
export interface NodeLimits {
  vcpus: number;
  memoryGib: number;
  /** The fraction of its vCPUs that a burstable node can use permanently. */
  baseline: number;
  /** The largest gp3 volume. */
  volumeGib: number;
}

export const NODES: Readonly<Record<string, NodeLimits>> = {
  't3.small.search': { vcpus: 2, memoryGib: 2, baseline: 0.2, volumeGib: 100 },
  't3.medium.search': { vcpus: 2, memoryGib: 4, baseline: 0.2, volumeGib: 200 },
  'r7g.medium.search': { vcpus: 1, memoryGib: 8, baseline: 1, volumeGib: 1_024 },
  'm7g.large.search': { vcpus: 2, memoryGib: 8, baseline: 1, volumeGib: 1_024 },
  'r7g.large.search': { vcpus: 2, memoryGib: 16, baseline: 1, volumeGib: 2_048 },
  'r7g.xlarge.search': { vcpus: 4, memoryGib: 32, baseline: 1, volumeGib: 3_072 },
  'r7g.2xlarge.search': { vcpus: 8, memoryGib: 64, baseline: 1, volumeGib: 6_144 },
  'r7g.4xlarge.search': { vcpus: 16, memoryGib: 128, baseline: 1, volumeGib: 12_288 },
};

/** The next larger type. */
export const BIGGER: Readonly<Record<string, string>> = {
  'kafka.t3.small': 'kafka.m7g.large',
  'kafka.m7g.large': 'kafka.m7g.xlarge',
  'kafka.m7g.xlarge': 'kafka.m7g.2xlarge',
  't3.small.search': 't3.medium.search',
  't3.medium.search': 'r7g.large.search',
  'r7g.large.search': 'r7g.xlarge.search',
  'r7g.xlarge.search': 'r7g.2xlarge.search',
  'r7g.2xlarge.search': 'r7g.4xlarge.search',
};

/** Half of a node's memory, 32 GiB at most. https://docs.aws.amazon.com/opensearch-service/latest/developerguide/bp-sharding.html */
export const heapGib = ({ memoryGib }: NodeLimits) => Math.min(memoryGib / 2, 32);
export const SHARDS_A_GIB_OF_HEAP = 25;
/** The same page: 30–50 GiB for write-heavy workloads. */
export const SHARD_GIB = 50;
/** Lucene's limit per shard. https://lucene.apache.org/core/9_0_0/core/org/apache/lucene/index/IndexWriter.html#MAX_DOCS */
export const SHARD_DOCUMENTS = 2_147_483_519;

/**
 * The usable part of a data node's volume: the service reserves 20 %, at most 20 GiB, and the system 5 %.
 * https://docs.aws.amazon.com/opensearch-service/latest/developerguide/bp-storage.html
 */
export const usableGib = (volumeGib: number) => (volumeGib - Math.min(volumeGib * 0.2, 20)) * 0.95;

/** https://docs.aws.amazon.com/lambda/latest/dg/kafka-scaling-modes.html */
export const EVENT_POLLER = { megabytesASecond: 5, concurrentCalls: 5, inAUnit: 10 } as const;
/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const EVENT_BYTES = 6 * 1024 * 1024;
/** The memory at which Lambda assigns a whole vCPU. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
export const MB_A_VCPU = 1_769;
/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
export const STACK = {
  resources: 500,
  outputs: 200,
  templateBytes: 1_000_000,
  /** With those of its nested stacks. */
  resourcesOfAnOperation: 2_500,
} as const;
/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, per account */
export const ROLES = 1_000;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html, per region */
export const METRIC_ALARMS = 5_000;
/** Additional metrics per broker. https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html */
export const PAID_BROKER_METRICS = 47;
