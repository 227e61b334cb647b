import type { Needs, SourceNeed } from '../core/operate/preflight/ports.ts';
import { EXCHANGES } from '../exchanges/registry.ts';
import { logPolicyName, OPENSEARCH_VERSION, stackName } from '../lib/config/derived.ts';
import { executionsToReserve, type PolledSource, type StageConfig } from '../lib/config/stage-config.ts';
import { openSource } from './open-source.ts';

/** How long an exchange may take to answer. */
const POLL_MS = 10_000;
/** Functions that run once at a time beside each source's ingest: summarise and watch. */
const ONE_AT_A_TIME = 2;
/** Functions that a person calls: insights and operate. */
const CALLED_BY_HAND = 2;

/** What a stage needs from its account. */
export function needsOf(config: StageConfig): Needs {
  const { stage, network, stream, search, sources, alarms } = config;
  const scheduled = sources.length + ONE_AT_A_TIME;
  const { availabilityZones: zones, zones: names, natGateways } = network;
  const { instanceType, kafkaVersion } = stream;
  const managers = search.managers ? [search.managers.nodeType] : [];
  return {
    stage,
    statefulStack: stackName(stage, 'stateful'),
    ...(network.existing ? {} : { network: { zones, names, natGateways } }),
    ...(stream.existing ? {} : { brokers: { instanceType, kafkaVersion } }),
    search: {
      version: `OpenSearch_${OPENSEARCH_VERSION}`,
      nodeTypes: [...new Set([search.dataNodeType, ...managers])],
    },
    executions: {
      atOnce: scheduled + stream.topic.partitions + CALLED_BY_HAND,
      reserved: config.reservedConcurrency ? executionsToReserve(config) : 0,
      assumedQuota: alarms.concurrencyQuota,
    },
    logPolicy: logPolicyName(stage),
    sources: sources.map(sourceNeed),
  };
}

function sourceNeed(source: PolledSource): SourceNeed {
  const {
    samplingIntervalMinutes: _,
    apiUrl,
    apiIsPrivate: __,
    ...config
  } = structuredClone(source) as PolledSource;
  const known = EXCHANGES.find(({ name }) => name === source.exchange);
  return {
    name: source.name,
    refusedRegions: known?.refusedRegions ?? [],
    elsewhere: apiUrl !== undefined,
    async poll() {
      const opened = await openSource(config as Parameters<typeof openSource>[0], { baseUrl: apiUrl });
      const slot = new Date().toISOString();
      const [outcome] = await opened.fetch(opened.categories.slice(0, 1), {
        slot,
        deadlineMs: Date.now() + POLL_MS,
      });
      if (!outcome) return { tickers: 0 };
      if ('error' in outcome) throw outcome.error;
      return { tickers: outcome.batch.tickers.length };
    },
  };
}
