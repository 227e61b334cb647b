import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { DeadLetterQueue } from '../functions/dead-letter-queue.ts';
import type { Notifications } from '../monitoring/notifications.ts';

export interface PollsProps {
  readonly logs: LogGroupProps;
  readonly notifications: Notifications;
}

/**
 * What the polls of all sources share. A deployment may touch 2,500 resources, so that what each source has of its own
 * decides how many sources a stage can have; and the dashboard asks for the errors of 50 log groups at most.
 */
export class Polls extends Construct {
  readonly logGroup: LogGroup;
  readonly deadLetters: DeadLetterQueue;

  constructor(scope: Construct, id: string, { logs, notifications }: PollsProps) {
    super(scope, id);
    this.logGroup = new LogGroup(this, 'Logs', logs);
    this.deadLetters = new DeadLetterQueue(this, 'DeadLetters', { notifications, of: 'a poll' });
  }
}
