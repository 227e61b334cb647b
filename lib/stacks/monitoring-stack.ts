import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { StageConfig } from '../config/stage-config.ts';
import { Notifications } from '../monitoring/notifications.ts';
import type { StatefulStack } from './stateful-stack.ts';

export interface MonitoringStackProps extends StackProps {
  readonly config: StageConfig;
  readonly stateful: StatefulStack;
}

/** Who is told when something is wrong. */
export class MonitoringStack extends Stack {
  readonly notifications: Notifications;

  constructor(scope: Construct, id: string, { config, stateful, ...stackProps }: MonitoringStackProps) {
    super(scope, id, stackProps);
    this.notifications = new Notifications(this, 'Notifications', { config, key: stateful.dataKey.key });
    new CfnOutput(this, 'PagesTopicArn', {
      value: this.notifications.pages.topicArn,
      description: 'Alarms that wake someone',
    });
    new CfnOutput(this, 'NoticesTopicArn', {
      value: this.notifications.notices.topicArn,
      description: 'Alarms that can wait until tomorrow',
    });
  }
}
