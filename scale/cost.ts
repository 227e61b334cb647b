import type { StageConfig } from '../lib/config/stage-config.ts';
import { type Demand, YEARS_KEPT } from './demand.ts';
import { at, type Inventory } from './growing.ts';
import { BROKER_HOUR, NODE_HOUR, PRICES, type Price, priceOf } from './prices.ts';
import { HOURS_A_MONTH } from './workload.ts';

/** A line of the monthly bill. */
export interface CostLine {
  /** The subtotal that it belongs to: `Kafka`, `network`, … */
  group: string;
  what: string;
  quantity: number;
  unitUsd: number;
  usd: number;
}

type Item = [what: string, quantity: number, price: Price];

/** @throws UnknownPriceError */
export function costOf(config: StageConfig, demand: Demand, inventory: Inventory): CostLine[] {
  return Object.entries(itemsOf(config, demand, inventory)).flatMap(([group, items]) =>
    items
      .filter(([, quantity]) => quantity > 0)
      .map(([what, quantity, { usd }]) => ({ group, what, quantity, unitUsd: usd, usd: quantity * usd })),
  );
}

function itemsOf(config: StageConfig, demand: Demand, inventory: Inventory): Record<string, Item[]> {
  const { stream, search, network, retention } = config;
  const { sources, index, lambda, lake, watching } = demand;
  const hours = (count: number, type: string, price: Price, role = ''): Item => [
    `${count} × ${type}${role}, hours`,
    count * HOURS_A_MONTH,
    price,
  ];
  const brokers: Item[] = stream.existing
    ? []
    : [
        hours(stream.brokers, stream.instanceType, priceOf(BROKER_HOUR, stream.instanceType)),
        ['storage, GB', stream.brokers * stream.storageGb, PRICES.mskStorage],
        [`metrics of ${stream.monitoring}`, demand.stream.paidMetrics, PRICES.customMetric],
      ];
  const { dataNodes, dataNodeType, managers, volumeGb } = search;
  const natHours = network.existing ? 0 : network.natGateways * HOURS_A_MONTH;
  return {
    Kafka: [
      ...brokers,
      ['event poller units, hours', index.pollerUnits * HOURS_A_MONTH, PRICES.eventPollerUnitHour],
    ],
    OpenSearch: [
      hours(dataNodes, dataNodeType, priceOf(NODE_HOUR, dataNodeType)),
      ...(managers
        ? [hours(managers.nodes, managers.nodeType, priceOf(NODE_HOUR, managers.nodeType), ' (managers)')]
        : []),
      ['gp3, GB', dataNodes * volumeGb, PRICES.openSearchGp3],
    ],
    network: [
      ['NAT gateways, hours', natHours, PRICES.natHour],
      ['public addresses of the NAT, hours', natHours, PRICES.publicAddressHour],
      ['NAT traffic, GB', demand.network.natGb, PRICES.natGb],
      ['traffic between zones, GB', demand.network.betweenZonesGb, PRICES.betweenZonesGb],
    ],
    functions: [
      ['Lambda, GB-seconds', lambda.gbSeconds, PRICES.lambdaGbSecond],
      ['Lambda, calls', lambda.calls, PRICES.lambdaRequest],
      ['Scheduler, calls', lambda.scheduledCalls, PRICES.scheduledCall],
    ],
    lake: [
      [`S3 after ${YEARS_KEPT * 12} months, GB`, lake.storedGb, PRICES.s3Gb],
      [`Parquet after ${YEARS_KEPT * 12} months, GB`, lake.columnsGb, PRICES.s3Gb],
      ['writes and lists', lake.putsAndLists, PRICES.s3PutOrList],
      ['reads', lake.gets, PRICES.s3Get],
    ],
    monitoring: [
      ['custom metrics', watching.customMetrics, PRICES.customMetric],
      ['metrics in alarms', at(inventory.alarmMetrics, sources), PRICES.alarmMetric],
      ['composite alarms', at(inventory.compositeAlarms, sources), PRICES.compositeAlarm],
      ['dashboards', at(inventory.dashboards, sources), PRICES.dashboard],
      ['logs, GB', watching.logGb, PRICES.logGb],
      ['logs kept, GB', (watching.logGb * retention.logDays) / 30, PRICES.logStorageGb],
      ['traces', watching.traces, PRICES.trace],
    ],
    'keys and secrets': [
      ['key', 1, PRICES.key],
      ['secrets', at(inventory.secrets, sources), PRICES.secret],
    ],
    bastion: config.bastion
      ? [
          ['t4g.nano, hours', HOURS_A_MONTH, PRICES.bastionHour],
          ['disk, GB', 8, PRICES.ebsGp3],
        ]
      : [],
  };
}

export const totalUsd = (lines: readonly CostLine[]) => lines.reduce((sum, { usd }) => sum + usd, 0);
