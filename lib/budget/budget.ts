import * as budgets from 'aws-cdk-lib/aws-budgets';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

export interface BudgetProps {
  readonly stage: string;
  readonly monthlyUsd: number;
  /** @default the notices topic */
  readonly emails?: readonly string[] | undefined;
  readonly notices: sns.ITopic;
}

/** Percent of the budget. */
const SPENT = 80;
const FORECAST = 100;

/**
 * Warns when the account costs more than planned. It covers the whole account: costs by tag stay 0 until someone
 * activates the tag for billing.
 */
export class Budget extends Construct {
  constructor(scope: Construct, id: string, { stage, monthlyUsd, emails, notices }: BudgetProps) {
    super(scope, id);
    const subscribers = emails
      ? emails.map((address) => ({ subscriptionType: 'EMAIL', address }))
      : [{ subscriptionType: 'SNS', address: notices.topicArn }];
    const notifyAbove = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: {
        notificationType,
        comparisonOperator: 'GREATER_THAN',
        threshold,
        thresholdType: 'PERCENTAGE',
      },
      subscribers,
    });
    const budget = new budgets.CfnBudget(this, 'Monthly', {
      budget: {
        budgetName: `crypto-market-insights-${stage}`,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: monthlyUsd, unit: 'USD' },
      },
      notificationsWithSubscribers: [notifyAbove('ACTUAL', SPENT), notifyAbove('FORECASTED', FORECAST)],
    });
    // AWS refuses the budget until the topic's policy lets it publish.
    budget.node.addDependency(notices);
  }
}
