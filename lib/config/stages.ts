import { sourceNamed } from '../../exchanges/source-config.ts';
import { layOver, type StageSettings } from './settings.ts';
import {
  parseStageConfig,
  type StageConfig,
  StageConfigError,
  type StageConfigInput,
} from './stage-config.ts';

type BuiltInStage = Omit<StageConfigInput, 'stage'>;
type PolledSource = StageConfigInput['sources'][number];

/** It answers from every commercial region: Bybit and Binance refuse addresses in the US (docs/exchanges.md). */
const kraken: PolledSource = { ...sourceNamed('kraken'), samplingIntervalMinutes: 2 };

/**
 * Cheap, and safe to destroy.
 *
 * - `kafka.m7g.large` is the smallest broker that MSK's API certainly accepts with a Kafka without ZooKeeper. There are
 *   reports of 2026 that it refuses `kafka.t3.small`, although the documentation lists it; where it is accepted, it is
 *   more than enough and costs a quarter (docs/cost.md). `npm run preflight` finds out.
 * - `t3.medium.search` is the smallest node whose heap (2 GB) can aggregate a few hundred million tickers;
 *   `t3.small.search` (1 GB) trips the circuit breaker.
 * - At most two months of one exchange's ticks plus a few years of candles fill half the volume (`npm run scale`).
 */
const dev: BuiltInStage = {
  dataOnRemoval: 'destroy',
  network: { availabilityZones: 2, natGateways: 1, flowLog: 'REJECT' },
  stream: {
    kafkaVersion: '3.9.x.kraft',
    instanceType: 'kafka.m7g.large',
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
  lake: { acceptsCopies: false },
  sources: [kraken],
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
    insights: { memoryMb: 1_024, timeoutSeconds: 60, maxAtOnce: 10 },
    operate: { memoryMb: 1_024, timeoutSeconds: 120, maxAtOnce: 5 },
    watch: { memoryMb: 256, timeoutSeconds: 30 },
    // A whole core; a day of 1.2 million tickers takes 500 MB of memory.
    compact: { memoryMb: 1_769, timeoutSeconds: 900, storageMb: 4_096 },
  },
  reservedConcurrency: false,
  retention: { logDays: 14, tickDays: 30, oldVersionDays: 7, rejectedDays: 30 },
  repairGaps: false,
  bastion: false,
  alarms: { pages: [], notices: [], chat: [], concurrencyQuota: 1_000 },
};

/** Survives the loss of an availability zone; its data survives the removal of its stack. */
const prod: BuiltInStage = {
  ...dev,
  dataOnRemoval: 'retain',
  network: { availabilityZones: 3, natGateways: 3, flowLog: 'ALL' },
  stream: {
    ...dev.stream,
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
  reservedConcurrency: true,
  retention: { logDays: 90, tickDays: 90, oldVersionDays: 30, rejectedDays: 365 },
};

const STAGES = { dev, prod };

export type StageName = keyof typeof STAGES;
export const STAGE_NAMES = Object.keys(STAGES) as StageName[];

/**
 * The configuration of a built-in stage, with settings laid over it.
 * @throws StageConfigError
 */
export function stageConfig(stage: StageName, settings: StageSettings = {}): StageConfig {
  return namedStage(stage, STAGES[stage], settings);
}

/**
 * The configuration of the stage that was named on the command line. A stage that is not built in names the one it is
 * `basedOn` in its settings.
 * @throws StageConfigError
 */
export function stageConfigByName(name: string, settings: StageSettings = {}): StageConfig {
  const { basedOn, ...own } = settings;
  if (isStageName(name)) return stageConfig(name, own);
  const choice = STAGE_NAMES.join(' or ');
  if (typeof basedOn !== 'string') {
    throw new StageConfigError(
      `There is no stage "${name}": choose ${choice}, or set "basedOn" to one of them in your settings.`,
    );
  }
  if (!isStageName(basedOn)) {
    throw new StageConfigError(`"basedOn" must be ${choice}, not "${basedOn}".`);
  }
  return namedStage(name, STAGES[basedOn], own);
}

function namedStage(stage: string, base: BuiltInStage, settings: StageSettings): StageConfig {
  return parseStageConfig({ ...(layOver(base, settings) as StageSettings), stage });
}

function isStageName(name: string): name is StageName {
  return Object.hasOwn(STAGES, name);
}
