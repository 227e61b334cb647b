import { Stack } from 'aws-cdk-lib';
import { AlarmRule, CompositeAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import { alarmNameOf, messageOf, type PipelineAlarm } from './alarm.ts';
import type { Notifications } from './notifications.ts';

export interface DataNotArrivingProps {
  readonly notifications: Notifications;
  readonly stage: string;
  /** Of both stacks; those whose severity is `page` are its members. */
  readonly alarms: readonly PipelineAlarm[];
}

/**
 * The alarm that wakes someone, and the only one: it is on while any of its members is, so a cause that sets off five
 * of them wakes once. The members tell *notices*. It lies in the stack whose alarms come and go with the sources.
 */
export class DataNotArriving extends Construct {
  readonly alarm: CompositeAlarm;

  constructor(scope: Construct, id: string, { notifications, stage, alarms }: DataNotArrivingProps) {
    super(scope, id);
    const members = alarms.filter(({ severity }) => severity === 'page');
    this.alarm = new CompositeAlarm(this, 'Alarm', {
      compositeAlarmName: alarmNameOf(this),
      alarmDescription: messageOf({
        condition: 'Data is not arriving, or will not for long',
        meaning:
          'At least one of its members is in alarm: a source, the freshness of the index, Kafka or OpenSearch.',
        firstCommand: `npm run doctor -- --stage ${stage}`,
        runbook: 'data-is-not-arriving',
      }),
      alarmRule: AlarmRule.anyOf(
        ...members.map((member) => AlarmRule.fromString(`ALARM("${member.arnFrom(this)}")`)),
      ),
    });
    const action = new SnsAction(notifications.pages);
    this.alarm.addAlarmAction(action);
    this.alarm.addOkAction(action);
    // Named, not referenced: what is in this stack has to be there first.
    this.alarm.node.addDependency(...members.filter((member) => Stack.of(member) === Stack.of(this)));
  }
}
