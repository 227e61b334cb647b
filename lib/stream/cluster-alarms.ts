import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { StreamConfig } from '../config/stage-config.ts';
import {
  type AlarmContext,
  above,
  addAlarms,
  below,
  doctorCommand,
  PipelineAlarm,
} from '../monitoring/alarm.ts';

export interface ClusterAlarmsProps
  extends AlarmContext,
    Pick<StreamConfig, 'brokers' | 'instanceType' | 'monitoring'> {
  readonly clusterName: string;
}

/** Percent, as AWS recommends: https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html */
const HIGH_CPU = 60;
const FULL_DISK = 85;
/** What a T3 broker earns per hour, and what a new one has after its first hour. */
const HOURLY_CREDITS = 24;

/**
 * For a cluster that the stack creates, with standard brokers; express brokers have neither offline partitions nor disks.
 * Metrics are emitted every minute: https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html
 */
export class ClusterAlarms extends Construct {
  constructor(scope: Construct, id: string, props: ClusterAlarmsProps) {
    super(scope, id);
    const { notifications, stage, clusterName, brokers, instanceType, monitoring } = props;
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
      threshold: above(0),
      breaching: { datapoints: 3, of: 3 },
      firstCommand: doctorCommand(stage),
    };
    addAlarms(this, common, {
      // The controllers report it. They are not brokers in KRaft mode, so the metric may be missing; what pages without it
      // is UnderMinIsr, the heartbeat of each source, and freshness.
      OfflinePartitions: {
        severity: 'page',
        metric: metric('OfflinePartitionsCount', Stats.MAXIMUM, undefined, Duration.minutes(1)),
        condition: 'Partitions without a leader for 3 min',
        meaning: 'Some prices can be neither produced nor indexed.',
        runbook: 'kafka-offline-partitions',
      },
    });
    for (let position = 1; position <= brokers; position++) {
      const broker = String(position);
      new PipelineAlarm(this, `UnderMinIsr${broker}`, {
        ...common,
        severity: 'page',
        metric: metric('UnderMinIsrPartitionCount', Stats.MAXIMUM, broker, Duration.minutes(1)),
        condition: `Partitions that broker ${broker} leads have had too few copies in sync for 3 min`,
        meaning: 'Kafka refuses writes to them: new prices wait in the lake.',
        runbook: 'kafka-offline-partitions',
      });
      new PipelineAlarm(this, `DiskUsed${broker}`, {
        ...common,
        metric: metric('KafkaDataLogsDiskUsed', Stats.MAXIMUM, broker),
        threshold: above(FULL_DISK),
        condition: `More than ${FULL_DISK} % of the disk of broker ${broker} used for 15 min`,
        meaning: 'A broker with a full disk stops, and the stream with it.',
        runbook: 'kafka-disk',
      });
      new PipelineAlarm(this, `UnderReplicated${broker}`, {
        ...common,
        metric: metric('UnderReplicatedPartitions', Stats.MAXIMUM, broker),
        condition: `Partitions of broker ${broker} have been missing replicas for 15 min`,
        meaning: 'Losing another broker may stop the stream. Expected while AWS patches the brokers.',
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
        threshold: above(HIGH_CPU),
        condition: `CPU (user and system) of broker ${broker} above ${HIGH_CPU} % for 15 min`,
        meaning: 'If a broker fails, the others cannot take over its work.',
        runbook: 'kafka-cpu',
      });
      // Not emitted at monitoring level DEFAULT.
      if (monitoring !== 'DEFAULT') {
        new PipelineAlarm(this, `IamConnections${broker}`, {
          ...common,
          metric: metric('IAMTooManyConnections', Stats.MAXIMUM, broker),
          breaching: { datapoints: 2, of: 3 },
          condition: `Broker ${broker} refused new IAM connections in 2 of 3 intervals of 5 min`,
          meaning: 'Too many functions connect at once; polls fail or are late.',
          runbook: 'kafka-iam-connections',
        });
      }
      if (instanceType.startsWith('kafka.t3.')) {
        new PipelineAlarm(this, `CpuCredits${broker}`, {
          ...common,
          metric: metric('CPUCreditBalance', Stats.MAXIMUM, broker, Duration.hours(1)),
          threshold: below(HOURLY_CREDITS),
          breaching: { datapoints: 2, of: 2 },
          condition: `Broker ${broker} has had fewer than ${HOURLY_CREDITS} CPU credits for 2 h`,
          meaning: 'Without credits it is throttled to 20 % of its CPU: polls and indexing fall behind.',
          runbook: 'kafka-cpu-credits',
        });
      }
    }
  }
}
