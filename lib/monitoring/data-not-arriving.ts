import { Stack } from 'aws-cdk-lib';
import { AlarmRule, CompositeAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import { type AlarmContext, alarmNameOf, doctorCommand, messageOf, type PipelineAlarm } from './alarm.ts';

export interface DataNotArrivingProps extends AlarmContext {
  /** Of both stacks; those with severity `page` become members. */
  readonly alarms: readonly PipelineAlarm[];
}

/**
 * The only alarm that pages: it is on while any member is, so that one cause pages once even if it triggers five
 * members. Members themselves go to *notices*. It is part of the stack whose alarms come and go with the sources.
 */
export class DataNotArriving extends Construct {
  readonly alarm: CompositeAlarm;

  constructor(scope: Construct, id: string, { notifications, stage, alarms }: DataNotArrivingProps) {
    super(scope, id);
    const members = alarms.filter(({ severity }) => severity === 'page');
    this.alarm = new CompositeAlarm(this, 'Alarm', {
      compositeAlarmName: alarmNameOf(this),
      alarmDescription: messageOf({
        condition: 'Data is not arriving, or will soon stop arriving',
        meaning: 'A member is in alarm: a source, the freshness of the index, Kafka or OpenSearch.',
        firstCommand: doctorCommand(stage),
        runbook: 'data-is-not-arriving',
      }),
      alarmRule: AlarmRule.anyOf(
        ...members.map((member) => AlarmRule.fromString(`ALARM("${member.arnFrom(this)}")`)),
      ),
    });
    const action = new SnsAction(notifications.pages);
    this.alarm.addAlarmAction(action);
    this.alarm.addOkAction(action);
    // The rule names its members without referring to them, so those of this stack must be created first.
    this.alarm.node.addDependency(...members.filter((member) => Stack.of(member) === Stack.of(this)));
  }
}
