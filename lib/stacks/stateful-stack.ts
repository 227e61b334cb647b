import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Budget } from '../budget/budget.ts';
import type { StageConfig } from '../config/stage-config.ts';
import { DataKey } from '../encryption/data-key.ts';
import { Catalog } from '../lake/catalog.ts';
import { Lake } from '../lake/lake.ts';
import { Questions } from '../lake/questions.ts';
import { Notifications } from '../monitoring/notifications.ts';
import { Network } from '../network/network.ts';
import { Search } from '../search/domain.ts';
import { Stream } from '../stream/stream.ts';

export interface StatefulStackProps extends StackProps {
  readonly config: StageConfig;
}

/** What holds data, the network that it lies in, and who is told when something is wrong. */
export class StatefulStack extends Stack {
  readonly dataKey: DataKey;
  readonly notifications: Notifications;
  readonly network: Network;
  readonly stream: Stream;
  readonly lake: Lake;
  readonly search: Search;

  constructor(scope: Construct, id: string, { config, ...stackProps }: StatefulStackProps) {
    super(scope, id, stackProps);
    this.dataKey = new DataKey(this, 'DataKey', { config });
    const { key } = this.dataKey;
    this.notifications = new Notifications(this, 'Notifications', { config, key });
    const { notifications } = this;
    if (config.budget) {
      new Budget(this, 'Budget', {
        stage: config.stage,
        budget: config.budget,
        notices: notifications.notices,
      });
    }
    this.network = new Network(this, 'Network', { config, key });
    const { vpc } = this.network;
    this.lake = new Lake(this, 'Lake', { config, key });
    const { bucket } = this.lake;
    const catalog = new Catalog(this, 'Catalog', { config, bucket });
    const questions = new Questions(this, 'Questions', { config, bucket, key, catalog });
    this.stream = new Stream(this, 'Stream', { config, vpc, key, notifications });
    this.search = new Search(this, 'Search', { config, vpc, key, notifications });

    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    output('LakeBucketName', bucket.bucketName, 'The lake: every ticker ever seen, gzip NDJSON');
    output('KafkaClusterArn', this.stream.clusterArn, 'The cluster of the stream');
    output('KafkaTopicName', this.stream.topicName, 'The topic of the stream');
    output(
      'DashboardsUrl',
      `${this.search.url}/_dashboards`,
      'Reached through a forwarded port: docs/aws.md',
    );
    output(
      'MasterUserSecretArn',
      this.search.masterSecret.secretArn,
      'The user who may everything in OpenSearch',
    );
    output('ReaderUserSecretArn', this.search.readerSecret.secretArn, 'The user who may look at OpenSearch');
    output('AthenaDatabase', catalog.databaseName, 'The lake as a table, for Athena');
    output(
      'AthenaWorkGroup',
      questions.workGroupName,
      'Its saved queries answer the two questions from the lake',
    );
    output('PagesTopicArn', notifications.pages.topicArn, 'Alarms that wake someone');
    output('NoticesTopicArn', notifications.notices.topicArn, 'Alarms that can wait until tomorrow');
  }
}
