import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import type { LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { Budget } from '../budget/budget.ts';
import { exchangesOf } from '../config/derived.ts';
import { fixedValuesOf } from '../config/fixed-settings.ts';
import type { StageConfig } from '../config/stage-config.ts';
import { DataKey } from '../encryption/data-key.ts';
import { Catalog } from '../lake/catalog.ts';
import { Lake } from '../lake/lake.ts';
import { Questions } from '../lake/questions.ts';
import { Replica } from '../lake/replica.ts';
import { Notifications } from '../monitoring/notifications.ts';
import { Network } from '../network/network.ts';
import { Search } from '../search/domain.ts';
import { Stream } from '../stream/stream.ts';

export interface StatefulStackProps extends StackProps {
  readonly config: StageConfig;
}

/** Everything that holds data, its network, and the topics that alarms go to. */
export class StatefulStack extends Stack {
  readonly dataKey: DataKey;
  /** Settings of every log group of the stage. */
  readonly logs: LogGroupProps;
  readonly notifications: Notifications;
  readonly network: Network;
  readonly stream: Stream;
  readonly lake: Lake;
  readonly search: Search;

  constructor(scope: Construct, id: string, { config, ...stackProps }: StatefulStackProps) {
    super(scope, id, stackProps);
    const { stage, retention } = config;
    // What the next deployment is compared with: bin/deployed.ts.
    this.addMetadata('FixedSettings', fixedValuesOf(config));
    const removalPolicy = config.dataOnRemoval === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
    this.dataKey = new DataKey(this, 'DataKey', { stage, removalPolicy });
    const { key } = this.dataKey;
    this.logs = { retention: retention.logDays, encryptionKey: key, removalPolicy };
    const { logs } = this;
    this.notifications = new Notifications(this, 'Notifications', { key, ...config.alarms });
    const { notifications } = this;
    if (config.budget) {
      new Budget(this, 'Budget', { stage, ...config.budget, notices: notifications.notices });
    }
    this.network = new Network(this, 'Network', { ...config.network, logs });
    const { vpc } = this.network;
    this.lake = new Lake(this, 'Lake', { ...config.lake, key, logs, removalPolicy, retention });
    const { bucket } = this.lake;
    const { replica } = config.lake;
    if (replica) new Replica(this, 'Replica', { bucket, key, to: replica, notifications });
    this.network.allowOnlyObjectsOf(bucket);
    const catalog = new Catalog(this, 'Catalog', { stage, exchanges: exchangesOf(config), bucket });
    const questions = new Questions(this, 'Questions', { stage, bucket, key, catalog });
    const common = { stage, vpc, key, logs, removalPolicy, notifications };
    this.stream = new Stream(this, 'Stream', { ...common, ...config.stream });
    const { availabilityZones } = config.network;
    this.search = new Search(this, 'Search', { ...common, ...config.search, availabilityZones });

    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    output('LakeBucketName', bucket.bucketName, 'The lake: every ticker ever polled, as gzip NDJSON');
    output('KafkaClusterArn', this.stream.clusterArn, 'The Kafka cluster of the stream');
    output('KafkaTopicName', this.stream.topicName, 'The topic of the stream');
    output('DashboardsUrl', `${this.search.url}/_dashboards`, 'Open through a forwarded port: docs/aws.md');
    output('SearchDomainName', this.search.domainName, 'The OpenSearch domain');
    output('MasterUserSecretArn', this.search.masterSecret.secretArn, 'The OpenSearch admin user');
    output('ReaderUserSecretArn', this.search.readerSecret.secretArn, 'The OpenSearch read-only user');
    output('AthenaDatabase', catalog.databaseName, 'The lake as a table, for Athena');
    output('AthenaWorkGroup', questions.workGroupName, 'Has saved queries for the two main questions');
    output('PagesTopicArn', notifications.pages.topicArn, 'Alarms that wake someone');
    output('NoticesTopicArn', notifications.notices.topicArn, 'Alarms that can wait until tomorrow');
  }
}
