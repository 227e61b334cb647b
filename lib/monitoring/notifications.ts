import { Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { serviceForThisAccount } from '../trust/service-for-this-account.ts';
import { Chat, type ChatProps } from './chat.ts';

export interface NotificationsProps {
  readonly key: IKey;
  /** E-mail addresses. */
  readonly pages: readonly string[];
  /** E-mail addresses. */
  readonly notices: readonly string[];
  readonly chat: ChatProps['rooms'];
}

/** CloudWatch's alarms and the budget. */
const PUBLISHERS = ['cloudwatch.amazonaws.com', 'budgets.amazonaws.com'];

/** The topics that alarms go to. */
export class Notifications extends Construct {
  /** Wakes someone. */
  readonly pages: sns.Topic;
  /** Can wait until tomorrow. */
  readonly notices: sns.Topic;

  constructor(scope: Construct, id: string, { key, pages, notices, chat }: NotificationsProps) {
    super(scope, id);
    this.pages = this.#topic('Pages', key, pages);
    this.notices = this.#topic('Notices', key, notices);
    if (chat.length > 0) new Chat(this, 'Chat', { rooms: chat, pages: this.pages, notices: this.notices });
  }

  /**
   * A publisher needs the topic and its key: without the key, alarms deploy but their messages never arrive.
   * https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
   */
  #topic(id: string, masterKey: IKey, addresses: readonly string[]): sns.Topic {
    const topic = new sns.Topic(this, id, { masterKey, enforceSSL: true });
    for (const service of PUBLISHERS) {
      topic.grantPublish(serviceForThisAccount(this, service));
    }
    for (const address of addresses) {
      Validations.of(topic.addSubscription(new EmailSubscription(address))).acknowledge({
        id: 'Serverless-SNSRedrivePolicy',
        reason: 'An undeliverable e-mail is old news; CloudWatch shows the state of every alarm.',
      });
    }
    return topic;
  }
}
