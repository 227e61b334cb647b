import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import type { Notifications } from './notifications.ts';

/** The runbook, from the root of the repository. */
const RUNBOOK = 'docs/runbook.md';

export interface PipelineAlarmProps {
  readonly notifications: Notifications;
  /**
   * `page`: data stops, or will be lost. It is told to *notices* like every other, and is one of the members of the
   * alarm that wakes someone, so that one cause wakes once.
   * @default notice
   */
  readonly severity?: 'page' | 'notice';
  /** With its statistic and its period. */
  readonly metric: cloudwatch.IMetric;
  readonly comparison: cloudwatch.ComparisonOperator;
  /** In the metric's unit. */
  readonly threshold: number;
  /** How many of the last periods have to breach. */
  readonly breaching: { readonly datapoints: number; readonly of: number };
  readonly missingData: cloudwatch.TreatMissingData;
  /** Threshold and time as a person says them, in units: `no poll for 3 intervals of 2 min`. */
  readonly condition: string;
  /** What it means for whoever uses the data; a sentence. */
  readonly meaning: string;
  /** What to type first. */
  readonly firstCommand: string;
  /** The section of the runbook, as its anchor. */
  readonly runbook: string;
}

/**
 * An alarm that a person on call can act upon: it says what it means, what to type first and where to read on, and
 * tells when it is over, too. Its name is made of its place in the app, so that a page can be read.
 */
export class PipelineAlarm extends Construct {
  readonly severity: 'page' | 'notice';
  readonly alarmName: string;

  constructor(scope: Construct, id: string, props: PipelineAlarmProps) {
    super(scope, id);
    const { metric, comparison, threshold, breaching, missingData, notifications } = props;
    this.severity = props.severity ?? 'notice';
    this.alarmName = alarmNameOf(this);
    const alarm = new cloudwatch.Alarm(this, 'Alarm', {
      alarmName: this.alarmName,
      alarmDescription: messageOf(props),
      metric,
      comparisonOperator: comparison,
      threshold,
      evaluationPeriods: breaching.of,
      datapointsToAlarm: breaching.datapoints,
      treatMissingData: missingData,
    });
    const action = new SnsAction(notifications.notices);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }

  /**
   * The alarm as another stack knows it: by its name. An export would tie the two stacks together, and an alarm that
   * is taken away could not be removed any more.
   */
  arnFrom(scope: Construct): string {
    return Stack.of(scope).formatArn({
      service: 'cloudwatch',
      resource: 'alarm',
      resourceName: this.alarmName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }
}

/** `crypto-market-insights-dev-stateful-Search-Red` */
export function alarmNameOf(construct: Construct): string {
  return construct.node.path.replaceAll('/', '-');
}

/** What the alarm's message says. */
export function messageOf(
  alarm: Pick<PipelineAlarmProps, 'condition' | 'meaning' | 'firstCommand' | 'runbook'>,
): string {
  const { condition, meaning, firstCommand, runbook } = alarm;
  return `${condition}. ${meaning}\nFirst: ${firstCommand}\nThen: ${RUNBOOK}#${runbook}`;
}

/** Every alarm under a construct, in the order of their making. */
export function alarmsIn(scope: Construct): PipelineAlarm[] {
  return scope.node.findAll().filter((each) => each instanceof PipelineAlarm);
}
