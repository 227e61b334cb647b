import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Acknowledges what is found in CDK's own functions behind custom resources. @param construct one, or what has one */
export function acknowledgeCdkFunction(construct: IConstruct): void {
  const reason = "CDK's own function, which cannot be configured; it runs for seconds per deployment.";
  const awaited = `${reason} CloudFormation waits for the answer.`;
  Validations.of(construct).acknowledge(
    { id: 'Serverless-LambdaDefaultMemorySize', reason },
    { id: 'Serverless-LambdaTracing', reason },
    { id: 'Serverless-LambdaDLQ', reason: awaited },
    { id: 'CKV_AWS_115', reason: `${reason} Only CloudFormation calls it, for a resource that changes.` },
    { id: 'CKV_AWS_116', reason: awaited },
    { id: 'CKV_AWS_117', reason: `${reason} It calls AWS's APIs and needs nothing in the VPC.` },
    { id: 'CKV_AWS_173', reason: `${reason} Its environment holds names, no secrets.` },
  );
}
