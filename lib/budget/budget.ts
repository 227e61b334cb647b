import * as budgets from 'aws-cdk-lib/aws-budgets';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { StageConfig } from '../config/stage-config.ts';

export interface BudgetProps {
  readonly stage: string;
  readonly budget: NonNullable<StageConfig['budget']>;
  readonly notices: sns.ITopic;
}

/** Percent of the amount: what has been spent, and what the month will come to. */
const SPENT = 80;
const FORECAST = 100;

/**
 * Says when the account becomes dearer than it should. It counts the whole account: costs by tag would be 0 until
 * somebody has activated the tag for billing.
 */
export class Budget extends Construct {
  constructor(scope: Construct, id: string, { stage, budget, notices }: BudgetProps) {
    super(scope, id);
    const subscribers = budget.emails
      ? budget.emails.map((address) => ({ subscriptionType: 'EMAIL', address }))
      : [{ subscriptionType: 'SNS', address: notices.topicArn }];
    const tellAbove = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: {
        notificationType,
        comparisonOperator: 'GREATER_THAN',
        threshold,
        thresholdType: 'PERCENTAGE',
      },
      subscribers,
    });
    const monthly = new budgets.CfnBudget(this, 'Monthly', {
      budget: {
        budgetName: `crypto-market-insights-${stage}`,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: budget.monthlyUsd, unit: 'USD' },
      },
      notificationsWithSubscribers: [tellAbove('ACTUAL', SPENT), tellAbove('FORECASTED', FORECAST)],
    });
    // The topic's policy lets it publish; without it the budget is refused.
    monthly.node.addDependency(notices);
  }
}
