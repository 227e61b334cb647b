import { Duration } from 'aws-cdk-lib';
import {
  ComparisonOperator,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { StageConfig } from '../config/stage-config.ts';
import { PipelineAlarm } from '../monitoring/alarm.ts';
import type { Notifications } from '../monitoring/notifications.ts';

export interface ClusterAlarmsProps {
  readonly notifications: Notifications;
  readonly config: StageConfig;
  readonly clusterName: string;
}

/** Percent; AWS's advice for both. https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html */
const HIGH_CPU = 60;
const FULL_DISK = 85;
/** What a broker of the T3 family earns in an hour; it is a new one's after its first. */
const HOURLY_CREDITS = 24;

/**
 * Of a cluster of our own, whose brokers are standard ones: express brokers have neither partitions to go offline nor
 * disks. Metrics and their dimensions, each minute: https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html
 */
export class ClusterAlarms extends Construct {
  constructor(scope: Construct, id: string, { notifications, config, clusterName }: ClusterAlarmsProps) {
    super(scope, id);
    const { brokers, instanceType, monitoring } = config.stream;
    const { stage } = config;
    const metric = (metricName: string, statistic: string, broker?: string, period = Duration.minutes(5)) =>
      new Metric({
        namespace: 'AWS/Kafka',
        metricName,
        dimensionsMap: { 'Cluster Name': clusterName, ...(broker ? { 'Broker ID': broker } : {}) },
        statistic,
        period,
      });
    const common = {
      notifications,
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      missingData: TreatMissingData.NOT_BREACHING,
      breaching: { datapoints: 3, of: 3 },
      firstCommand: `npm run doctor -- --stage ${stage}`,
    };

    new PipelineAlarm(this, 'OfflinePartitions', {
      ...common,
      severity: 'page',
      metric: metric('OfflinePartitionsCount', Stats.MAXIMUM, undefined, Duration.minutes(1)),
      threshold: 0,
      condition: 'Partitions without a leader for 3 min',
      meaning: 'Part of the prices can neither be produced nor indexed.',
      runbook: 'kafka-offline-partitions',
    });
    new PipelineAlarm(this, 'DiskUsed', {
      ...common,
      metric: metric('KafkaDataLogsDiskUsed', Stats.MAXIMUM),
      threshold: FULL_DISK,
      condition: `More than ${FULL_DISK} % of a broker's disk used for 15 min`,
      meaning: 'A broker whose disk is full stops, and with it the stream.',
      runbook: 'kafka-disk',
    });
    for (let position = 1; position <= brokers; position++) {
      const broker = String(position);
      new PipelineAlarm(this, `UnderReplicated${broker}`, {
        ...common,
        metric: metric('UnderReplicatedPartitions', Stats.MAXIMUM, broker),
        threshold: 0,
        condition: `Partitions of broker ${broker} have fewer copies than they should for 15 min`,
        meaning:
          'The loss of one more broker may stop the stream. While AWS patches the brokers it is expected.',
        runbook: 'kafka-under-replicated',
      });
      new PipelineAlarm(this, `Cpu${broker}`, {
        ...common,
        metric: new MathExpression({
          expression: 'user + system',
          usingMetrics: {
            user: metric('CpuUser', Stats.AVERAGE, broker),
            system: metric('CpuSystem', Stats.AVERAGE, broker),
          },
          label: `CPU of broker ${broker}, user and system`,
          period: Duration.minutes(5),
        }),
        threshold: HIGH_CPU,
        condition: `CPU (user and system) of broker ${broker} above ${HIGH_CPU} % for 15 min`,
        meaning: 'When a broker fails, the others cannot take over its work.',
        runbook: 'kafka-cpu',
      });
      // Not emitted at the level DEFAULT.
      if (monitoring !== 'DEFAULT') {
        new PipelineAlarm(this, `IamConnections${broker}`, {
          ...common,
          metric: metric('IAMTooManyConnections', Stats.MAXIMUM, broker),
          threshold: 0,
          breaching: { datapoints: 2, of: 3 },
          condition: `Broker ${broker} refused new IAM connections in 2 of 3 intervals of 5 min`,
          meaning: 'Functions connect too often at once; polls fail or are late.',
          runbook: 'kafka-iam-connections',
        });
      }
      if (instanceType.startsWith('kafka.t3.')) {
        new PipelineAlarm(this, `CpuCredits${broker}`, {
          ...common,
          metric: metric('CPUCreditBalance', Stats.MAXIMUM, broker, Duration.hours(1)),
          comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
          threshold: HOURLY_CREDITS,
          breaching: { datapoints: 2, of: 2 },
          condition: `Broker ${broker} has fewer than ${HOURLY_CREDITS} CPU credits left for 2 h`,
          meaning: 'At 0 it is slowed down to 20 % of its CPU: polls and indexing become late.',
          runbook: 'kafka-cpu-credits',
        });
      }
    }
  }
}
