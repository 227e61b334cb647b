import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type * as opensearch from 'aws-cdk-lib/aws-opensearchservice';
import { Construct } from 'constructs';
import type { StageConfig } from '../config/stage-config.ts';
import { PipelineAlarm, type PipelineAlarmProps } from '../monitoring/alarm.ts';
import type { Notifications } from '../monitoring/notifications.ts';

export interface SearchAlarmsProps {
  readonly notifications: Notifications;
  readonly config: StageConfig;
  readonly domain: opensearch.Domain;
  /** Of the domain's storage. */
  readonly key: IKey;
}

/** What the recommended alarms call low: of each node's storage. */
const LOW_STORAGE_SHARE = 0.25;
const MIB_PER_GB = 1_024;

/**
 * The alarms that AWS recommends, with its thresholds; where it takes one datapoint of a minute, these take three, so
 * that they do not flap. By domain and account, each minute.
 * https://docs.aws.amazon.com/opensearch-service/latest/developerguide/cloudwatch-alarms.html
 * https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html
 */
export class SearchAlarms extends Construct {
  constructor(scope: Construct, id: string, { notifications, config, domain, key }: SearchAlarmsProps) {
    super(scope, id);
    const { stage } = config;
    const { dataNodes, managers, volumeGb } = config.search;
    const minute = Duration.minutes(1);
    const metric = (name: string, statistic: string, period = minute) =>
      domain.metric(name, { statistic, period });
    const health = `aws opensearch describe-domain-health --domain-name ${domain.domainName}`;
    const common: Pick<PipelineAlarmProps, 'notifications' | 'comparison' | 'breaching' | 'missingData'> = {
      notifications,
      comparison: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      breaching: { datapoints: 3, of: 3 },
      missingData: TreatMissingData.NOT_BREACHING,
    };
    const doctor = { firstCommand: `npm run doctor -- --stage ${stage}` };
    const look = { firstCommand: health };

    new PipelineAlarm(this, 'Red', {
      ...common,
      ...look,
      severity: 'page',
      metric: metric('ClusterStatus.red', Stats.MAXIMUM),
      threshold: 1,
      condition: 'OpenSearch is red for 3 min',
      meaning: 'Some prices can be neither stored nor found, and no snapshots are taken.',
      runbook: 'opensearch-red',
    });
    new PipelineAlarm(this, 'Yellow', {
      ...common,
      ...look,
      metric: metric('ClusterStatus.yellow', Stats.MAXIMUM),
      threshold: 1,
      breaching: { datapoints: 5, of: 5 },
      condition: 'OpenSearch is yellow for 5 min',
      meaning: 'Copies are missing: nothing is lost, but the loss of a node would be.',
      runbook: 'opensearch-yellow',
    });
    new PipelineAlarm(this, 'WritesBlocked', {
      ...common,
      ...doctor,
      severity: 'page',
      metric: metric('ClusterIndexWritesBlocked', Stats.MAXIMUM),
      threshold: 1,
      breaching: { datapoints: 5, of: 5 },
      condition: 'OpenSearch takes no writes for 5 min',
      meaning: 'New prices wait in Kafka and in the lake; the usual cause is a full disk or a full heap.',
      runbook: 'opensearch-writes-blocked',
    });
    for (const [alarm, name, condition] of [
      ['KmsKeyDisabled', 'KMSKeyError', 'The key of the OpenSearch domain is disabled'],
      [
        'KmsKeyInaccessible',
        'KMSKeyInaccessible',
        'The key of the OpenSearch domain is deleted, or its grant',
      ],
    ] as const) {
      new PipelineAlarm(this, alarm, {
        ...common,
        severity: 'page',
        // Emitted only while something is wrong with the key.
        metric: metric(name, Stats.MAXIMUM),
        threshold: 1,
        breaching: { datapoints: 1, of: 1 },
        condition,
        meaning:
          'OpenSearch stops, and the lake cannot be read either; a deleted key cannot be brought back.',
        firstCommand: `aws kms describe-key --key-id ${key.keyArn} --query KeyMetadata.KeyState`,
        runbook: 'opensearch-key',
      });
    }
    const lowMib = volumeGb * MIB_PER_GB * LOW_STORAGE_SHARE;
    new PipelineAlarm(this, 'FreeStorage', {
      ...common,
      ...look,
      metric: metric('FreeStorageSpace', Stats.MINIMUM),
      comparison: ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: lowMib,
      condition: `A node has ${lowMib} MiB (25 % of its ${volumeGb} GB) or less of storage left for 3 min`,
      meaning: 'Without room OpenSearch blocks writes.',
      runbook: 'opensearch-free-storage',
    });
    new PipelineAlarm(this, 'SnapshotFailed', {
      ...common,
      ...look,
      metric: metric('AutomatedSnapshotFailure', Stats.MAXIMUM),
      threshold: 1,
      condition: 'OpenSearch took no automatic snapshot in the last 36 h',
      meaning: 'Candles, moves and dashboards have no recent copy; the lake can make the first two again.',
      runbook: 'opensearch-snapshot',
    });
    new PipelineAlarm(this, 'Cpu', {
      ...common,
      ...look,
      metric: metric('CPUUtilization', Stats.MAXIMUM, Duration.minutes(15)),
      threshold: 80,
      condition: 'CPU of an OpenSearch node at 80 % or more for 45 min',
      meaning: 'Questions and indexing become slow.',
      runbook: 'opensearch-cpu',
    });
    new PipelineAlarm(this, 'Heap', {
      ...common,
      ...look,
      metric: metric('JVMMemoryPressure', Stats.MAXIMUM),
      threshold: 95,
      condition: 'Heap of an OpenSearch node at 95 % or more for 3 min',
      meaning: 'Questions are refused, and the node may stop.',
      runbook: 'opensearch-heap',
    });
    new PipelineAlarm(this, 'OldHeap', {
      ...common,
      ...look,
      metric: metric('OldGenJVMMemoryPressure', Stats.MAXIMUM),
      threshold: 80,
      condition: 'Old generation of the heap of an OpenSearch node at 80 % or more for 3 min',
      meaning: 'What is held there does not go away: questions are refused, and the node may stop.',
      runbook: 'opensearch-heap',
    });
    const nodes = dataNodes + (managers?.nodes ?? 0);
    new PipelineAlarm(this, 'Nodes', {
      ...common,
      ...look,
      metric: metric('Nodes', Stats.MINIMUM, Duration.minutes(10)),
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: nodes,
      condition: `Fewer than ${nodes} OpenSearch nodes for 30 min`,
      meaning: 'A node is gone; AWS replaces it, and meanwhile the others do its work.',
      runbook: 'opensearch-nodes',
    });
    new PipelineAlarm(this, 'WriteQueue', {
      ...common,
      ...doctor,
      metric: metric('ThreadpoolWriteQueue', Stats.AVERAGE),
      threshold: 100,
      condition: 'On average 100 or more writes queue in OpenSearch for 3 min',
      meaning: 'It takes less than it is sent: new prices become late.',
      runbook: 'opensearch-writes-rejected',
    });
    new PipelineAlarm(this, 'WritesRejected', {
      ...common,
      ...doctor,
      // The metric counts since the node started.
      metric: new MathExpression({
        expression: 'DIFF(rejected)',
        usingMetrics: { rejected: metric('ThreadpoolWriteRejected', Stats.SUM) },
        label: 'Writes rejected in the minute',
        period: minute,
      }),
      threshold: 1,
      breaching: { datapoints: 2, of: 3 },
      condition: 'OpenSearch rejected writes in 2 of 3 min',
      meaning:
        'It takes less than it is sent. Rejected documents are sent again, so nothing is lost; it is late.',
      runbook: 'opensearch-writes-rejected',
    });
    if (managers) {
      new PipelineAlarm(this, 'ManagerUnreachable', {
        ...common,
        ...look,
        metric: metric('MasterReachableFromNode', Stats.MAXIMUM),
        comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
        threshold: 1,
        breaching: { datapoints: 5, of: 5 },
        condition: 'The OpenSearch managers cannot be reached for 5 min',
        meaning: 'New indices cannot be made, lost shards find no new place.',
        runbook: 'opensearch-managers',
      });
      new PipelineAlarm(this, 'ManagerCpu', {
        ...common,
        ...look,
        metric: metric('MasterCPUUtilization', Stats.MAXIMUM, Duration.minutes(15)),
        threshold: 50,
        condition: 'CPU of an OpenSearch manager at 50 % or more for 45 min',
        meaning: 'The managers are too small for so many indices and shards.',
        runbook: 'opensearch-managers',
      });
      new PipelineAlarm(this, 'ManagerHeap', {
        ...common,
        ...look,
        metric: metric('MasterJVMMemoryPressure', Stats.MAXIMUM),
        threshold: 95,
        condition: 'Heap of an OpenSearch manager at 95 % or more for 3 min',
        meaning: 'The managers are too small for so many indices and shards.',
        runbook: 'opensearch-managers',
      });
      new PipelineAlarm(this, 'ManagerOldHeap', {
        ...common,
        ...look,
        metric: metric('MasterOldGenJVMMemoryPressure', Stats.MAXIMUM),
        threshold: 80,
        condition: 'Old generation of the heap of an OpenSearch manager at 80 % or more for 3 min',
        meaning: 'The managers are too small for so many indices and shards.',
        runbook: 'opensearch-managers',
      });
    }
  }
}
