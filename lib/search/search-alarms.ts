import { Duration } from 'aws-cdk-lib';
import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type * as opensearch from 'aws-cdk-lib/aws-opensearchservice';
import { Construct } from 'constructs';
import type { SearchConfig } from '../config/stage-config.ts';
import { atLeast, atMost, below, doctorCommand, PipelineAlarm } from '../monitoring/alarm.ts';
import type { Notifications } from '../monitoring/notifications.ts';

export interface SearchAlarmsProps {
  readonly notifications: Notifications;
  readonly stage: string;
  readonly dataNodes: number;
  readonly managers: SearchConfig['managers'];
  readonly volumeGb: number;
  readonly domain: opensearch.Domain;
  /** Encrypts the domain's storage. */
  readonly key: IKey;
}

/** Of each node's storage, as AWS recommends. */
const LOW_STORAGE_SHARE = 0.25;
const MIB_PER_GB = 1_024;

/**
 * The alarms and thresholds that AWS recommends. Where AWS takes a single one-minute datapoint these take three, so that
 * they do not flap. All metrics are emitted every minute, by domain and account.
 * https://docs.aws.amazon.com/opensearch-service/latest/developerguide/cloudwatch-alarms.html
 * https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html
 */
export class SearchAlarms extends Construct {
  constructor(scope: Construct, id: string, props: SearchAlarmsProps) {
    super(scope, id);
    const { notifications, stage, dataNodes, managers, volumeGb, domain, key } = props;
    const minute = Duration.minutes(1);
    const metric = (name: string, statistic: string, period = minute) =>
      domain.metric(name, { statistic, period });
    const common = { notifications, breaching: { datapoints: 3, of: 3 } };
    const doctor = { firstCommand: doctorCommand(stage) };
    const health = {
      firstCommand: `aws opensearch describe-domain-health --domain-name ${domain.domainName}`,
    };

    new PipelineAlarm(this, 'Red', {
      ...common,
      ...health,
      severity: 'page',
      metric: metric('ClusterStatus.red', Stats.MAXIMUM),
      threshold: atLeast(1),
      condition: 'OpenSearch has been red for 3 min',
      meaning: 'Some prices can be neither stored nor found, and no snapshots are taken.',
      runbook: 'opensearch-red',
    });
    new PipelineAlarm(this, 'Yellow', {
      ...common,
      ...health,
      metric: metric('ClusterStatus.yellow', Stats.MAXIMUM),
      threshold: atLeast(1),
      breaching: { datapoints: 5, of: 5 },
      condition: 'OpenSearch has been yellow for 5 min',
      meaning: 'Replicas are missing: nothing is lost yet, but losing a node would lose data.',
      runbook: 'opensearch-yellow',
    });
    new PipelineAlarm(this, 'WritesBlocked', {
      ...common,
      ...doctor,
      severity: 'page',
      metric: metric('ClusterIndexWritesBlocked', Stats.MAXIMUM),
      threshold: atLeast(1),
      breaching: { datapoints: 5, of: 5 },
      condition: 'OpenSearch has blocked writes for 5 min',
      meaning: 'New prices wait in Kafka and the lake; the usual cause is a full disk or heap.',
      runbook: 'opensearch-writes-blocked',
    });
    for (const [alarm, name, condition] of [
      ['KmsKeyDisabled', 'KMSKeyError', 'The encryption key of the OpenSearch domain is disabled'],
      [
        'KmsKeyInaccessible',
        'KMSKeyInaccessible',
        'The encryption key of the OpenSearch domain, or its grant, was deleted',
      ],
    ] as const) {
      new PipelineAlarm(this, alarm, {
        ...common,
        severity: 'page',
        // Emitted only while the key has a problem.
        metric: metric(name, Stats.MAXIMUM),
        threshold: atLeast(1),
        breaching: { datapoints: 1, of: 1 },
        condition,
        meaning: 'OpenSearch stops, and the lake cannot be read either; a deleted key cannot be restored.',
        firstCommand: `aws kms describe-key --key-id ${key.keyArn} --query KeyMetadata.KeyState`,
        runbook: 'opensearch-key',
      });
    }
    const lowMib = volumeGb * MIB_PER_GB * LOW_STORAGE_SHARE;
    new PipelineAlarm(this, 'FreeStorage', {
      ...common,
      ...health,
      metric: metric('FreeStorageSpace', Stats.MINIMUM),
      threshold: atMost(lowMib),
      condition: `A node has had ${lowMib} MiB or less of free storage (25 % of its ${volumeGb} GB) for 3 min`,
      meaning: 'When storage runs out, OpenSearch blocks writes.',
      runbook: 'opensearch-free-storage',
    });
    new PipelineAlarm(this, 'SnapshotFailed', {
      ...common,
      ...health,
      metric: metric('AutomatedSnapshotFailure', Stats.MAXIMUM),
      threshold: atLeast(1),
      condition: 'OpenSearch has taken no automatic snapshot for 36 h',
      meaning:
        'Candles, moves and dashboards have no recent backup; the first two can be rebuilt from the lake.',
      runbook: 'opensearch-snapshot',
    });
    new PipelineAlarm(this, 'Cpu', {
      ...common,
      ...health,
      metric: metric('CPUUtilization', Stats.MAXIMUM, Duration.minutes(15)),
      threshold: atLeast(80),
      condition: 'CPU of an OpenSearch node at 80 % or more for 45 min',
      meaning: 'Questions and indexing slow down.',
      runbook: 'opensearch-cpu',
    });
    new PipelineAlarm(this, 'Heap', {
      ...common,
      ...health,
      metric: metric('JVMMemoryPressure', Stats.MAXIMUM),
      threshold: atLeast(95),
      condition: 'Heap of an OpenSearch node at 95 % or more for 3 min',
      meaning: 'Questions are rejected, and the node may crash.',
      runbook: 'opensearch-heap',
    });
    new PipelineAlarm(this, 'OldHeap', {
      ...common,
      ...health,
      metric: metric('OldGenJVMMemoryPressure', Stats.MAXIMUM),
      threshold: atLeast(80),
      condition: 'Old-generation heap of an OpenSearch node at 80 % or more for 3 min',
      meaning: 'Garbage collection no longer frees enough: questions are rejected, and the node may crash.',
      runbook: 'opensearch-heap',
    });
    const nodes = dataNodes + (managers?.nodes ?? 0);
    new PipelineAlarm(this, 'Nodes', {
      ...common,
      ...health,
      metric: metric('Nodes', Stats.MINIMUM, Duration.minutes(10)),
      threshold: below(nodes),
      condition: `Fewer than ${nodes} OpenSearch nodes for 30 min`,
      meaning: 'A node is gone; the others take over its work until AWS has replaced it.',
      runbook: 'opensearch-nodes',
    });
    new PipelineAlarm(this, 'WriteQueue', {
      ...common,
      ...doctor,
      metric: metric('ThreadpoolWriteQueue', Stats.AVERAGE),
      threshold: atLeast(100),
      condition: 'An average of 100 or more writes queued in OpenSearch for 3 min',
      meaning: 'It receives more than it can take: new prices arrive late.',
      runbook: 'opensearch-writes-rejected',
    });
    new PipelineAlarm(this, 'WritesRejected', {
      ...common,
      ...doctor,
      // The metric is a counter since the node started.
      metric: new MathExpression({
        expression: 'DIFF(rejected)',
        usingMetrics: { rejected: metric('ThreadpoolWriteRejected', Stats.SUM) },
        label: 'Writes rejected per minute',
        period: minute,
      }),
      threshold: atLeast(1),
      breaching: { datapoints: 2, of: 3 },
      condition: 'OpenSearch rejected writes in 2 of 3 min',
      meaning:
        'It receives more than it can take. Rejected documents are retried: new prices arrive late, none are lost.',
      runbook: 'opensearch-writes-rejected',
    });
    if (managers) {
      new PipelineAlarm(this, 'ManagerUnreachable', {
        ...common,
        ...health,
        metric: metric('MasterReachableFromNode', Stats.MAXIMUM),
        threshold: below(1),
        breaching: { datapoints: 5, of: 5 },
        condition: 'The OpenSearch managers have been unreachable for 5 min',
        meaning: 'New indices cannot be created, and lost shards cannot be reassigned.',
        runbook: 'opensearch-managers',
      });
      for (const { alarm, name, period, percent, condition } of [
        {
          alarm: 'ManagerCpu',
          name: 'MasterCPUUtilization',
          period: Duration.minutes(15),
          percent: 50,
          condition: 'CPU of an OpenSearch manager at 50 % or more for 45 min',
        },
        {
          alarm: 'ManagerHeap',
          name: 'MasterJVMMemoryPressure',
          period: minute,
          percent: 95,
          condition: 'Heap of an OpenSearch manager at 95 % or more for 3 min',
        },
        {
          alarm: 'ManagerOldHeap',
          name: 'MasterOldGenJVMMemoryPressure',
          period: minute,
          percent: 80,
          condition: 'Old-generation heap of an OpenSearch manager at 80 % or more for 3 min',
        },
      ]) {
        new PipelineAlarm(this, alarm, {
          ...common,
          ...health,
          metric: metric(name, Stats.MAXIMUM, period),
          threshold: atLeast(percent),
          condition,
          meaning: 'The managers are too small for this many indices and shards.',
          runbook: 'opensearch-managers',
        });
      }
    }
  }
}
