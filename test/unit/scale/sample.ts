import type { Figures } from '../../../scale/figures.ts';
import type { Inventory } from '../../../scale/growing.ts';

/** Round numbers, so that a test can be reckoned by hand. */
export const FIGURES: Figures = {
  tickersPerExchange: 1_000,
  responseBytes: 500,
  lakeBytes: 100,
  topicBytes: 200,
  eventBytes: 1_024,
  bulkBytes: 700,
  tickerIndexBytes: 300,
  candleIndexBytes: 400,
  moveIndexBytes: 100,
  movesPerSeriesDay: 10,
  pollSecondsPer1000: 0.1,
  exchangeWaitSeconds: 1,
  indexSecondsPer100k: 5,
  indexCpuSecondsPer100k: 1,
  openSearchCpuSecondsPer100k: 10,
  summariseSecondsPer1000Series: 4,
  summariseCpuSecondsPer1000Series: 1,
  watchSeconds: 1,
  columnBytes: 50,
  candleColumnBytes: 100,
  moveColumnBytes: 20,
  compactSecondsPerMillion: 20,
  compactLookSeconds: 1,
  logBytesPerCall: 500,
  systemLogBytesPerCall: 500,
  otherLogGb: 1,
  troubledShare: 0.1,
};

export const INVENTORY: Inventory = {
  stackResources: { fixed: 40, perSource: 10 },
  deployedResources: { fixed: 50, perSource: 20 },
  outputs: { fixed: 10, perSource: 1 },
  templateSize: { fixed: 100_000, perSource: 5_000 },
  roles: { fixed: 10, perSource: 2 },
  metricAlarms: { fixed: 20, perSource: 5 },
  alarmMetrics: { fixed: 20, perSource: 5 },
  compositeAlarms: { fixed: 0, perSource: 0 },
  dashboards: { fixed: 1, perSource: 0 },
  secrets: { fixed: 2, perSource: 0 },
  functions: { fixed: 6, perSource: 1 },
};
