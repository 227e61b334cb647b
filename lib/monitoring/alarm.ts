import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import type { Notifications } from './notifications.ts';

/** The runbook, from the root of the repository. */
const RUNBOOK = 'docs/runbook.md';

/** The values of a metric that breach, in the metric's unit: `above(80)`. */
export interface Threshold {
  readonly comparison: cloudwatch.ComparisonOperator;
  readonly value: number;
}

const { ComparisonOperator, TreatMissingData } = cloudwatch;
const thresholdOf = (comparison: cloudwatch.ComparisonOperator) => (value: number) => ({ comparison, value });
export const above = thresholdOf(ComparisonOperator.GREATER_THAN_THRESHOLD);
export const atLeast = thresholdOf(ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD);
export const atMost = thresholdOf(ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD);
export const below = thresholdOf(ComparisonOperator.LESS_THAN_THRESHOLD);

/** What a construct with alarms needs. */
export interface AlarmContext {
  readonly notifications: Notifications;
  readonly stage: string;
}

export interface PipelineAlarmProps {
  readonly notifications: Notifications;
  /**
   * `page`: data stops arriving, or will be lost. Like every alarm it goes to *notices*; it is also a member of the one
   * alarm that pages, so that a single cause pages once.
   * @default notice
   */
  readonly severity?: 'page' | 'notice';
  readonly metric: cloudwatch.IMetric;
  readonly threshold: Threshold;
  /** How many of the last periods must breach. */
  readonly breaching: { readonly datapoints: number; readonly of: number };
  /** @default NOT_BREACHING: most metrics are emitted only when there is something to count */
  readonly missingData?: cloudwatch.TreatMissingData;
  /** Threshold and time in words, with units: `No successful poll for 3 intervals of 2 min`. */
  readonly condition: string;
  /** What it means for the people who use the data; a sentence. */
  readonly meaning: string;
  /** What to type first. */
  readonly firstCommand: string;
  /** The anchor of its section in the runbook. */
  readonly runbook: string;
}

/**
 * An alarm that a person on call can act on: it says what it means, what to type first and where to read on, and
 * reports when it is over. Its name is its path in the app, so that the message alone says what is wrong.
 */
export class PipelineAlarm extends Construct {
  readonly severity: 'page' | 'notice';
  readonly alarmName: string;

  constructor(scope: Construct, id: string, props: PipelineAlarmProps) {
    super(scope, id);
    const { metric, threshold, breaching, missingData, notifications } = props;
    this.severity = props.severity ?? 'notice';
    this.alarmName = alarmNameOf(this);
    const alarm = new cloudwatch.Alarm(this, 'Alarm', {
      alarmName: this.alarmName,
      alarmDescription: messageOf(props),
      metric,
      comparisonOperator: threshold.comparison,
      threshold: threshold.value,
      evaluationPeriods: breaching.of,
      datapointsToAlarm: breaching.datapoints,
      treatMissingData: missingData ?? TreatMissingData.NOT_BREACHING,
    });
    const action = new SnsAction(notifications.notices);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }

  /**
   * For references from the other stack, by name: an export would tie the stacks together and keep a dropped alarm
   * from being deleted.
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

/** Creates alarms by id. Each takes from `common` what it does not set itself. */
export function addAlarms<Common extends Partial<PipelineAlarmProps>>(
  scope: Construct,
  common: Common,
  alarms: Readonly<Record<string, Omit<PipelineAlarmProps, keyof Common> & Partial<PipelineAlarmProps>>>,
): void {
  for (const [id, own] of Object.entries(alarms)) {
    new PipelineAlarm(scope, id, { ...common, ...own } as Common & typeof own & PipelineAlarmProps);
  }
}

/** `crypto-market-insights-dev-stateful-Search-Red` */
export function alarmNameOf(construct: Construct): string {
  return construct.node.path.replaceAll('/', '-');
}

export function messageOf(
  alarm: Pick<PipelineAlarmProps, 'condition' | 'meaning' | 'firstCommand' | 'runbook'>,
): string {
  const { condition, meaning, firstCommand, runbook } = alarm;
  return `${condition}. ${meaning}\nFirst: ${firstCommand}\nThen: ${RUNBOOK}#${runbook}`;
}

/** The first command of most alarms. */
export function doctorCommand(stage: string): string {
  return `npm run doctor -- --stage ${stage}`;
}

/** Every alarm below a construct, in order of creation. */
export function alarmsIn(scope: Construct): PipelineAlarm[] {
  return scope.node.findAll().filter((each) => each instanceof PipelineAlarm);
}
