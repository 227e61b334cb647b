import { Stack } from 'aws-cdk-lib';
import { AlarmRule, AlarmState, CompositeAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import { type AlarmContext, alarmNameOf, doctorCommand, messageOf, type PipelineAlarm } from './alarm.ts';
import { chunksOf } from './chunks.ts';

export interface DataNotArrivingProps extends AlarmContext {
  /** Of both stacks; those with severity `page` become members. */
  readonly alarms: readonly PipelineAlarm[];
}

/**
 * Members of one rule. CloudWatch allows 100, and 10,240 characters.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
 */
const MEMBERS_OF_A_RULE = 50;

/**
 * The only alarm that pages: it is on while any member is, so that one cause pages once even if it triggers
 * five members. Members themselves go to *notices*. It is part of the stack whose alarms come and go with the
 * sources. With more members than a rule holds, it consists of parts, which notify nobody themselves.
 */
export class DataNotArriving extends Construct {
  readonly alarm: CompositeAlarm;

  constructor(scope: Construct, id: string, { notifications, stage, alarms }: DataNotArrivingProps) {
    super(scope, id);
    const members = alarms.filter(({ severity }) => severity === 'page');
    const name = alarmNameOf(this);
    const message = messageOf({
      condition: 'Data is not arriving, or will soon stop arriving',
      meaning: 'A member is in alarm: a source, the freshness of the index, Kafka or OpenSearch.',
      firstCommand: doctorCommand(stage),
      runbook: 'data-is-not-arriving',
    });
    const parts = chunksOf(members, MEMBERS_OF_A_RULE);
    this.alarm =
      parts.length === 1
        ? this.#ofMembers('Alarm', name, message, members)
        : new CompositeAlarm(this, 'Alarm', {
            compositeAlarmName: name,
            alarmDescription: message,
            alarmRule: AlarmRule.anyOf(
              ...parts.map((part, n) => {
                const own = this.#ofMembers(`Part${n + 1}`, `${name}-${n + 1}`, message, part);
                return AlarmRule.fromAlarm(own, AlarmState.ALARM);
              }),
            ),
          });
    const action = new SnsAction(notifications.pages);
    this.alarm.addAlarmAction(action);
    this.alarm.addOkAction(action);
  }

  #ofMembers(
    id: string,
    compositeAlarmName: string,
    alarmDescription: string,
    members: readonly PipelineAlarm[],
  ): CompositeAlarm {
    const alarm = new CompositeAlarm(this, id, {
      compositeAlarmName,
      alarmDescription,
      alarmRule: AlarmRule.anyOf(
        ...members.map((member) => AlarmRule.fromString(`ALARM("${member.arnFrom(this)}")`)),
      ),
    });
    // The rule names its members without referring to them, so those of this deployment must be created first.
    alarm.node.addDependency(...members.filter((member) => deploymentOf(member) === deploymentOf(this)));
    return alarm;
  }
}

/** The stack that is deployed, with those nested in it. */
function deploymentOf(construct: Construct): Stack {
  const stack = Stack.of(construct);
  return stack.nestedStackParent ?? stack;
}
