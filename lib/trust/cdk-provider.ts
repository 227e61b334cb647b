import { type CfnResource, Stack } from 'aws-cdk-lib';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledgeCdkFunction } from './cdk-function.ts';

/**
 * CDK's own function behind a custom resource, which CDK does not let us configure: gives it a log group, which otherwise
 * stays behind without a retention, and has its role trust Lambda only for this account.
 * @param type of the custom resource: `Custom::S3AutoDeleteObjects`
 */
export function configureProvider(scope: Construct, id: string, type: string, logs: LogGroupProps): void {
  const stack = Stack.of(scope);
  const provider = stack.node.findChild(`${type}CustomResourceProvider`);
  const { logGroupName } = new LogGroup(scope, id, logs);
  acknowledgeCdkFunction(provider);
  const part = (name: string) => provider.node.findChild(name) as CfnResource;
  part('Handler').addPropertyOverride('LoggingConfig', { LogGroup: logGroupName });
  part('Role').addPropertyOverride('AssumeRolePolicyDocument.Statement.0.Condition', {
    StringEquals: { 'aws:SourceAccount': stack.account },
  });
}
