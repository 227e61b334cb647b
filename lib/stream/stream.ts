import { type Duration, Fn } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as msk from 'aws-cdk-lib/aws-msk';
import { Construct } from 'constructs';
import { HOUR_MS } from '../../core/market/time.ts';
import type { StreamConfig } from '../config/stage-config.ts';
import type { EngineProps } from '../stacks/engine-props.ts';
import { Cluster, clusterNameIn, IAM_PORT } from './cluster.ts';
import { ControllerAlarm } from './controller-alarm.ts';

export type StreamProps = EngineProps & StreamConfig;

/** The stream of tickers: a topic on a new or an existing cluster. */
export class Stream extends Construct {
  readonly clusterArn: string;
  readonly clusterName: string;
  readonly topicName: string;
  /** Consumer group of the index function; includes the stage, as stages may share a cluster. */
  readonly consumerGroup: string;
  /** The brokers that the stack creates: none on an existing cluster. */
  readonly ownBrokers: number;
  /** Members of this group can reach the brokers. */
  readonly clients: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, props: StreamProps) {
    super(scope, id);
    const { stage, vpc, removalPolicy, notifications, existing, topic } = props;
    this.ownBrokers = existing ? 0 : props.brokers;
    this.clients = new ec2.SecurityGroup(this, 'Clients', {
      vpc,
      description: 'Functions that talk to the Kafka brokers',
      allowAllOutbound: false,
    });

    if (existing) {
      this.clusterArn = existing.clusterArn;
      this.clusterName = clusterNameIn(existing.clusterArn);
      if (existing.securityGroupId) {
        const theirs = ec2.SecurityGroup.fromSecurityGroupId(this, 'TheirGroup', existing.securityGroupId);
        theirs.addIngressRule(this.clients, ec2.Port.tcp(IAM_PORT), 'Functions to brokers');
        this.clients.addEgressRule(theirs, ec2.Port.tcp(IAM_PORT), 'Functions to brokers');
      } else {
        this.clients.addEgressRule(
          ec2.Peer.anyIpv4(),
          ec2.Port.tcp(IAM_PORT),
          'Functions to brokers elsewhere',
        );
      }
    } else {
      const cluster = new Cluster(this, 'Brokers', props);
      this.clusterArn = cluster.clusterArn;
      this.clusterName = cluster.clusterName;
      cluster.securityGroup.addIngressRule(this.clients, ec2.Port.tcp(IAM_PORT), 'Functions to brokers');
      this.clients.addEgressRule(cluster.securityGroup, ec2.Port.tcp(IAM_PORT), 'Functions to brokers');
    }

    new ControllerAlarm(this, 'Controller', { notifications, stage, clusterName: this.clusterName });

    const resource = new msk.CfnTopic(this, 'Topic', {
      clusterArn: this.clusterArn,
      topicName: topic.name,
      partitionCount: topic.partitions,
      replicationFactor: topic.replicationFactor,
      configs: Buffer.from(
        JSON.stringify({
          'cleanup.policy': 'delete',
          'retention.ms': String(topic.retentionHours * HOUR_MS),
          'min.insync.replicas': String(topic.minInsyncReplicas),
          // Keep batches as the producer compressed them.
          'compression.type': 'producer',
        }),
      ).toString('base64'),
    });
    resource.applyRemovalPolicy(removalPolicy);
    this.topicName = topic.name;
    this.consumerGroup = `crypto-market-insights-${stage}-index`;
  }

  /**
   * How far the index function is behind, at any monitoring level, once its group has committed.
   * https://docs.aws.amazon.com/msk/latest/developerguide/consumer-lag.html leaves out the dimension `Cluster Name`; it is
   * listed in https://github.com/aws/agent-toolkit-for-aws (managing-amazon-msk).
   */
  lag(metricName: 'MaxOffsetLag' | 'EstimatedMaxTimeLag' | 'SumOffsetLag', period: Duration): Metric {
    return new Metric({
      namespace: 'AWS/Kafka',
      metricName,
      dimensionsMap: {
        'Cluster Name': this.clusterName,
        'Consumer Group': this.consumerGroup,
        Topic: this.topicName,
      },
      statistic: Stats.MAXIMUM,
      period,
    });
  }

  /** Lets a function find the brokers and write to the topic. */
  grantProduce(grantee: iam.IGrantable): void {
    this.#grant(grantee, 'cluster', ['Connect']);
    this.#grant(grantee, 'topic', ['DescribeTopic', 'WriteData']);
    this.#grantBootstrap(grantee);
  }

  /** Lets a function's event source mapping read the topic in the index function's consumer group. */
  grantConsume(grantee: iam.IGrantable): void {
    this.#grant(grantee, 'cluster', ['Connect', 'DescribeClusterDynamicConfiguration']);
    this.#grant(grantee, 'topic', ['DescribeTopic', 'ReadData']);
    this.#grant(grantee, 'group', ['DescribeGroup', 'AlterGroup']);
    this.#grantBootstrap(grantee);
  }

  /** Lets a function inspect the topic and the index function's progress. */
  grantWatch(grantee: iam.IGrantable): void {
    this.#grant(grantee, 'cluster', ['Connect']);
    this.#grant(grantee, 'topic', ['DescribeTopic']);
    this.#grant(grantee, 'group', ['DescribeGroup']);
    this.#grantBootstrap(grantee);
  }

  #grant(grantee: iam.IGrantable, on: 'cluster' | 'topic' | 'group', actions: string[]): void {
    iam.Grant.addToPrincipal({
      grantee,
      actions: actions.map((action) => `kafka-cluster:${action}`),
      resourceArns: [this.#arnOf(on)],
    });
  }

  /**
   * On every cluster: the action accepts no resource, so one that is named may not match.
   * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonmanagedstreamingforapachekafka.html
   */
  #grantBootstrap(grantee: iam.IGrantable): void {
    iam.Grant.addToPrincipal({ grantee, actions: ['kafka:GetBootstrapBrokers'], resourceArns: ['*'] });
  }

  /** `arn:…:cluster/<name>/<uuid>` → `arn:…:topic/<name>/<uuid>/<topic>`. */
  #arnOf(on: 'cluster' | 'topic' | 'group'): string {
    if (on === 'cluster') return this.clusterArn;
    const [before, nameAndId] = [0, 1].map((part) => Fn.select(part, Fn.split(':cluster/', this.clusterArn)));
    return `${before}:${on}/${nameAndId}/${on === 'topic' ? this.topicName : this.consumerGroup}`;
  }
}
