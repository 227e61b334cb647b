import { Duration } from 'aws-cdk-lib';
import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type * as opensearch from 'aws-cdk-lib/aws-opensearchservice';
import { Construct } from 'constructs';
import type { SearchConfig } from '../config/stage-config.ts';
import { type AlarmContext, addAlarms, atLeast, atMost, below, doctorCommand } from '../monitoring/alarm.ts';

export interface SearchAlarmsProps extends AlarmContext {
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
    const inFive = { breaching: { datapoints: 5, of: 5 } };
    const doctor = { firstCommand: doctorCommand(stage) };
    const common = {
      notifications,
      threshold: atLeast(1),
      breaching: { datapoints: 3, of: 3 },
      firstCommand: `aws opensearch describe-domain-health --domain-name ${domain.domainName}`,
    };
    const keyProblem = {
      severity: 'page',
      breaching: { datapoints: 1, of: 1 },
      meaning: 'OpenSearch stops, and the lake cannot be read either; a deleted key cannot be restored.',
      firstCommand: `aws kms describe-key --key-id ${key.keyArn} --query KeyMetadata.KeyState`,
      runbook: 'opensearch-key',
    } as const;
    const lowMib = volumeGb * MIB_PER_GB * LOW_STORAGE_SHARE;
    const nodes = dataNodes + (managers?.nodes ?? 0);
    addAlarms(this, common, {
      Red: {
        severity: 'page',
        metric: metric('ClusterStatus.red', Stats.MAXIMUM),
        condition: 'OpenSearch has been red for 3 min',
        meaning: 'Some prices can be neither stored nor found, and no snapshots are taken.',
        runbook: 'opensearch-red',
      },
      WritesBlocked: {
        ...inFive,
        ...doctor,
        severity: 'page',
        metric: metric('ClusterIndexWritesBlocked', Stats.MAXIMUM),
        condition: 'OpenSearch has blocked writes for 5 min',
        meaning: 'New prices wait in Kafka and the lake; the usual cause is a full disk or heap.',
        runbook: 'opensearch-writes-blocked',
      },
      // Emitted only while the key has a problem.
      KmsKeyDisabled: {
        ...keyProblem,
        metric: metric('KMSKeyError', Stats.MAXIMUM),
        condition: 'The encryption key of the OpenSearch domain is disabled',
      },
      KmsKeyInaccessible: {
        ...keyProblem,
        metric: metric('KMSKeyInaccessible', Stats.MAXIMUM),
        condition: 'The encryption key of the OpenSearch domain, or its grant, was deleted',
      },
      FreeStorage: {
        metric: metric('FreeStorageSpace', Stats.MINIMUM),
        threshold: atMost(lowMib),
        condition: `A node has had ${lowMib} MiB or less of free storage (25 % of its ${volumeGb} GB) for 3 min`,
        meaning: 'When storage runs out, OpenSearch blocks writes.',
        runbook: 'opensearch-free-storage',
      },
      SnapshotFailed: {
        metric: metric('AutomatedSnapshotFailure', Stats.MAXIMUM),
        condition: 'OpenSearch has taken no automatic snapshot for 36 h',
        meaning:
          'Candles, moves and dashboards have no recent backup; the first two can be rebuilt from the lake.',
        runbook: 'opensearch-snapshot',
      },
      Cpu: {
        metric: metric('CPUUtilization', Stats.MAXIMUM, Duration.minutes(15)),
        threshold: atLeast(80),
        condition: 'CPU of an OpenSearch node at 80 % or more for 45 min',
        meaning: 'Questions and indexing slow down.',
        runbook: 'opensearch-cpu',
      },
      Heap: {
        metric: metric('JVMMemoryPressure', Stats.MAXIMUM),
        threshold: atLeast(95),
        condition: 'Heap of an OpenSearch node at 95 % or more for 3 min',
        meaning: 'Questions are rejected, and the node may crash.',
        runbook: 'opensearch-heap',
      },
      OldHeap: {
        metric: metric('OldGenJVMMemoryPressure', Stats.MAXIMUM),
        threshold: atLeast(80),
        condition: 'Old-generation heap of an OpenSearch node at 80 % or more for 3 min',
        meaning: 'Garbage collection no longer frees enough: questions are rejected, and the node may crash.',
        runbook: 'opensearch-heap',
      },
      Nodes: {
        metric: metric('Nodes', Stats.MINIMUM, Duration.minutes(10)),
        threshold: below(nodes),
        condition: `Fewer than ${nodes} OpenSearch nodes for 30 min`,
        meaning: 'A node is gone; the others take over its work until AWS has replaced it.',
        runbook: 'opensearch-nodes',
      },
      WriteQueue: {
        ...doctor,
        metric: metric('ThreadpoolWriteQueue', Stats.AVERAGE),
        threshold: atLeast(100),
        condition: 'An average of 100 or more writes queued in OpenSearch for 3 min',
        meaning: 'It receives more than it can take: new prices arrive late.',
        runbook: 'opensearch-writes-rejected',
      },
      WritesRejected: {
        ...doctor,
        // The metric is a counter since the node started.
        metric: new MathExpression({
          expression: 'DIFF(rejected)',
          usingMetrics: { rejected: metric('ThreadpoolWriteRejected', Stats.SUM) },
          label: 'Writes rejected per minute',
          period: minute,
        }),
        breaching: { datapoints: 2, of: 3 },
        condition: 'OpenSearch rejected writes in 2 of 3 min',
        meaning:
          'It receives more than it can take. Rejected documents are retried: new prices arrive late, none are lost.',
        runbook: 'opensearch-writes-rejected',
      },
    });
    // A single node has no place for replicas: OpenSearch's own indices keep it yellow forever.
    if (dataNodes > 1) {
      addAlarms(this, common, {
        Yellow: {
          ...inFive,
          metric: metric('ClusterStatus.yellow', Stats.MAXIMUM),
          condition: 'OpenSearch has been yellow for 5 min',
          meaning: 'Replicas are missing: nothing is lost yet, but losing a node would lose data.',
          runbook: 'opensearch-yellow',
        },
      });
    }
    if (!managers) return;
    const tooSmall = {
      ...common,
      meaning: 'The managers are too small for this many indices and shards.',
      runbook: 'opensearch-managers',
    };
    addAlarms(this, tooSmall, {
      ManagerUnreachable: {
        ...inFive,
        metric: metric('MasterReachableFromNode', Stats.MAXIMUM),
        threshold: below(1),
        condition: 'The OpenSearch managers have been unreachable for 5 min',
        meaning: 'New indices cannot be created, and lost shards cannot be reassigned.',
      },
      ManagerCpu: {
        metric: metric('MasterCPUUtilization', Stats.MAXIMUM, Duration.minutes(15)),
        threshold: atLeast(50),
        condition: 'CPU of an OpenSearch manager at 50 % or more for 45 min',
      },
      ManagerHeap: {
        metric: metric('MasterJVMMemoryPressure', Stats.MAXIMUM),
        threshold: atLeast(95),
        condition: 'Heap of an OpenSearch manager at 95 % or more for 3 min',
      },
      ManagerOldHeap: {
        metric: metric('MasterOldGenJVMMemoryPressure', Stats.MAXIMUM),
        threshold: atLeast(80),
        condition: 'Old-generation heap of an OpenSearch manager at 80 % or more for 3 min',
      },
    });
  }
}
