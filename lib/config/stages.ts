import { KNOWN_SOURCES } from '../../exchanges/source-config.ts';
import { parseStageConfig, type StageConfig, StageConfigError } from './stage-config.ts';

/** What a stage sets itself, on top of one of the two below; the same shape, any part of it. */
export type StageSettings = Record<string, unknown>;

const bybit = { ...KNOWN_SOURCES.bybit, samplingIntervalMinutes: 2 };

/**
 * Cheap, and safe to destroy.
 *
 * - `kafka.t3.small` is MSK's smallest broker and carries us easily: two sources write a few hundred kB every two
 *   minutes, and its limit of 4 new IAM connections a second is far from the handful that warm functions keep.
 * - `t3.medium.search` is the smallest node whose heap (2 GB) holds the aggregations over a few hundred million
 *   tickers; on `t3.small.search` (1 GB) they trip the circuit breaker.
 * - Two months of one exchange's ticks at most, with a few years of candles, take half of the volume (`npm run scale`).
 */
const dev = {
  stage: 'dev',
  dataOnRemoval: 'destroy',
  network: { availabilityZones: 2, natGateways: 1 },
  stream: {
    kafkaVersion: '3.9.x.kraft',
    instanceType: 'kafka.t3.small',
    brokers: 2,
    storageGb: 10,
    monitoring: 'DEFAULT',
    topic: {
      name: 'tickers',
      partitions: 3,
      replicationFactor: 2,
      minInsyncReplicas: 1,
      retentionHours: 72,
    },
  },
  search: {
    dataNodes: 1,
    dataNodeType: 't3.medium.search',
    volumeGb: 80,
    indices: { shards: 1, replicas: 0, refreshInterval: '30s' },
  },
  sources: [bybit],
  index: {
    provisioned: false,
    minimumPollers: 1,
    maximumPollers: 2,
    batchWindowSeconds: 10,
    maxRecordAgeHours: 24,
  },
  summarise: { moveThresholds: [0.01, 0.02, 0.05, 0.1] },
  functions: {
    ingest: { memoryMb: 512, timeoutSeconds: 90 },
    index: { memoryMb: 512, timeoutSeconds: 120 },
    summarise: { memoryMb: 1_024, timeoutSeconds: 600 },
    insights: { memoryMb: 1_024, timeoutSeconds: 60 },
    operate: { memoryMb: 1_024, timeoutSeconds: 120 },
    watch: { memoryMb: 256, timeoutSeconds: 30 },
  },
  retention: { logDays: 14, tickDays: 30, oldVersionDays: 7 },
  bastion: false,
  alarms: { pages: [], notices: [], chat: [], concurrencyQuota: 1_000 },
};

/** Survives the loss of an availability zone, and of its stack. */
const prod = {
  ...dev,
  stage: 'prod',
  dataOnRemoval: 'retain',
  network: { availabilityZones: 3, natGateways: 3 },
  stream: {
    ...dev.stream,
    instanceType: 'kafka.m7g.large',
    brokers: 3,
    storageGb: 50,
    monitoring: 'PER_BROKER',
    topic: {
      name: 'tickers',
      partitions: 6,
      replicationFactor: 3,
      minInsyncReplicas: 2,
      retentionHours: 168,
    },
  },
  search: {
    dataNodes: 3,
    dataNodeType: 'r7g.large.search',
    managers: { nodes: 3, nodeType: 'm7g.medium.search' },
    volumeGb: 100,
    indices: { shards: 3, replicas: 1, refreshInterval: '30s' },
  },
  index: { ...dev.index, provisioned: true },
  retention: { logDays: 90, tickDays: 90, oldVersionDays: 30 },
};

const STAGES: Readonly<Record<string, StageSettings>> = { dev, prod };

/**
 * A stage's configuration: that of `dev` or `prod`, with the settings of whoever deploys laid over it. A list is
 * replaced as a whole. A stage of another name says in its settings which of the two it is `basedOn`.
 * @throws StageConfigError
 */
export function stageConfig(stage: string, settings: StageSettings = {}): StageConfig {
  const base = STAGES[stage];
  const isAnother = typeof settings.basedOn === 'string';
  const { basedOn, ...own } = settings;
  if (!base && !isAnother) {
    throw new StageConfigError(
      `There is no stage "${stage}": choose ${Object.keys(STAGES).join(' or ')}, or name in your settings the one that it is "basedOn".`,
    );
  }
  const origin = base ?? STAGES[String(basedOn)];
  if (!origin) {
    throw new StageConfigError(`A stage is basedOn ${Object.keys(STAGES).join(' or ')}, not "${basedOn}".`);
  }
  return parseStageConfig({ ...(layOver(origin, own) as StageSettings), stage });
}

/** Settings laid over others, part by part; a list replaces the other as a whole. */
export function layOver(below: unknown, above: unknown): unknown {
  if (!isRecord(below) || !isRecord(above)) return above;
  const merged: StageSettings = { ...below };
  for (const [key, value] of Object.entries(above)) {
    merged[key] = key in below ? layOver(below[key], value) : value;
  }
  return merged;
}

function isRecord(value: unknown): value is StageSettings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
