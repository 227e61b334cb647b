import type { StageConfig } from '../lib/config/stage-config.ts';
import { type Demand, YEARS_KEPT } from './demand.ts';
import { at, type Inventory } from './inventory.ts';
import { BROKER_HOUR, NODE_HOUR, PRICES, priceOf } from './prices.ts';
import { HOURS_A_MONTH } from './workload.ts';

/** A line of the monthly bill. */
export interface CostLine {
  /** The subtotal that it belongs to. */
  group:
    | 'Kafka'
    | 'OpenSearch'
    | 'network'
    | 'functions'
    | 'lake'
    | 'monitoring'
    | 'keys and secrets'
    | 'bastion';
  what: string;
  quantity: number;
  unitUsd: number;
  usd: number;
}

/** @throws UnknownPriceError */
export function costOf(config: StageConfig, demand: Demand, inventory: Inventory): CostLine[] {
  const lines: CostLine[] = [];
  const line = (group: CostLine['group'], what: string, quantity: number, { usd }: { usd: number }) => {
    if (quantity > 0) lines.push({ group, what, quantity, unitUsd: usd, usd: quantity * usd });
  };
  const { stream, search, network } = config;
  const { sources } = demand;

  if (!stream.existing) {
    line(
      'Kafka',
      `${stream.brokers} × ${stream.instanceType}, hours`,
      stream.brokers * HOURS_A_MONTH,
      priceOf(BROKER_HOUR, stream.instanceType),
    );
    line('Kafka', 'storage, GB', stream.brokers * stream.storageGb, PRICES.mskStorage);
    line('Kafka', `metrics of ${stream.monitoring}`, demand.stream.paidMetrics, PRICES.customMetric);
  }
  line(
    'Kafka',
    'event poller units, hours',
    demand.index.pollerUnits * HOURS_A_MONTH,
    PRICES.eventPollerUnitHour,
  );

  line(
    'OpenSearch',
    `${search.dataNodes} × ${search.dataNodeType}, hours`,
    search.dataNodes * HOURS_A_MONTH,
    priceOf(NODE_HOUR, search.dataNodeType),
  );
  if (search.managers) {
    const { nodes, nodeType } = search.managers;
    line(
      'OpenSearch',
      `${nodes} × ${nodeType} (managers), hours`,
      nodes * HOURS_A_MONTH,
      priceOf(NODE_HOUR, nodeType),
    );
  }
  line('OpenSearch', 'gp3, GB', search.dataNodes * search.volumeGb, PRICES.openSearchGp3);

  if (!network.existing) {
    line('network', 'NAT gateways, hours', network.natGateways * HOURS_A_MONTH, PRICES.natHour);
    line(
      'network',
      'public addresses of the NAT, hours',
      network.natGateways * HOURS_A_MONTH,
      PRICES.publicAddressHour,
    );
  }
  line('network', 'NAT traffic, GB', demand.network.natGb, PRICES.natGb);
  line('network', 'traffic between zones, GB', demand.network.betweenZonesGb, PRICES.betweenZonesGb);

  line('functions', 'Lambda, GB-seconds', demand.lambda.gbSeconds, PRICES.lambdaGbSecond);
  line('functions', 'Lambda, calls', demand.lambda.calls, PRICES.lambdaRequest);
  line('functions', 'Scheduler, calls', demand.lambda.scheduledCalls, PRICES.scheduledCall);

  line('lake', `S3 after ${YEARS_KEPT * 12} months, GB`, demand.lake.storedGb, PRICES.s3Gb);
  line('lake', 'writes and lists', demand.lake.putsAndLists, PRICES.s3PutOrList);
  line('lake', 'reads', demand.lake.gets, PRICES.s3Get);

  line('monitoring', 'custom metrics', demand.watching.customMetrics, PRICES.customMetric);
  line('monitoring', 'metrics in alarms', at(inventory.alarmMetrics, sources), PRICES.alarmMetric);
  line('monitoring', 'composite alarms', at(inventory.compositeAlarms, sources), PRICES.compositeAlarm);
  line('monitoring', 'dashboards', at(inventory.dashboards, sources), PRICES.dashboard);
  line('monitoring', 'logs, GB', demand.watching.logGb, PRICES.logGb);
  line(
    'monitoring',
    'logs kept, GB',
    (demand.watching.logGb * config.retention.logDays) / 30,
    PRICES.logStorageGb,
  );
  line('monitoring', 'traces', demand.watching.traces, PRICES.trace);

  line('keys and secrets', 'key', 1, PRICES.key);
  line('keys and secrets', 'secrets', at(inventory.secrets, sources), PRICES.secret);

  if (config.bastion) {
    line('bastion', 't4g.nano, hours', HOURS_A_MONTH, PRICES.bastionHour);
    line('bastion', 'disk, GB', 8, PRICES.ebsGp3);
  }
  return lines;
}

export const totalUsd = (lines: readonly CostLine[]) => lines.reduce((sum, { usd }) => sum + usd, 0);
