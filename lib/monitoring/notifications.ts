import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { StageConfig } from '../config/stage-config.ts';

export interface NotificationsProps {
  readonly config: StageConfig;
  readonly key: IKey;
}

/** Where alarms go. */
export class Notifications extends Construct {
  /** Wakes someone. */
  readonly pages: sns.Topic;
  /** Somebody looks tomorrow. */
  readonly notices: sns.Topic;

  constructor(scope: Construct, id: string, { config, key }: NotificationsProps) {
    super(scope, id);
    this.pages = this.#topic('Pages', key, config.alarms.pages);
    this.notices = this.#topic('Notices', key, config.alarms.notices);
  }

  #topic(id: string, masterKey: IKey, addresses: readonly string[]): sns.Topic {
    const topic = new sns.Topic(this, id, { masterKey, enforceSSL: true });
    topic.grantPublish(new iam.ServicePrincipal('cloudwatch.amazonaws.com'));
    for (const address of addresses) topic.addSubscription(new EmailSubscription(address));
    return topic;
  }
}
