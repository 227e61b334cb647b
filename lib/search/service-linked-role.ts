import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import * as cr from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { acknowledgeCdkFunction } from '../trust/cdk-function.ts';
import { serviceForThisAccount } from '../trust/service-for-this-account.ts';

export interface ServiceLinkedRoleProps {
  readonly logs: LogGroupProps;
}

/**
 * The role with which OpenSearch Service puts a domain into a VPC. An account has one, created with its first such
 * domain. CloudFormation's own resource fails if it exists, so an API call creates it and ignores "has been taken". It
 * stays when the stack goes, because other domains may use it.
 */
export class ServiceLinkedRole extends Construct {
  constructor(scope: Construct, id: string, { logs }: ServiceLinkedRoleProps) {
    super(scope, id);
    const service = 'opensearchservice.amazonaws.com';
    const { partition, account } = Stack.of(this);
    const logGroup = new LogGroup(this, 'Logs', logs);
    const role = new iam.Role(this, 'Role', {
      assumedBy: serviceForThisAccount(this, 'lambda.amazonaws.com'),
      description: 'Creates the service-linked role of OpenSearch Service if the account has none',
    });
    logGroup.grantWrite(role);
    new cr.AwsCustomResource(this, 'Create', {
      onCreate: {
        service: 'iam',
        action: 'CreateServiceLinkedRole',
        parameters: { AWSServiceName: service },
        physicalResourceId: cr.PhysicalResourceId.of(service),
        // "Service role name AWSServiceRoleForAmazonOpenSearchService has been taken in this account".
        ignoreErrorCodesMatching: 'InvalidInput|EntityAlreadyExists',
        outputPaths: [],
      },
      installLatestAwsSdk: false,
      memorySize: 256,
      role,
      logGroup,
      policy: cr.AwsCustomResourcePolicy.fromStatements([
        new iam.PolicyStatement({
          actions: ['iam:CreateServiceLinkedRole'],
          resources: [
            `arn:${partition}:iam::${account}:role/aws-service-role/${service}/AWSServiceRoleForAmazonOpenSearchService`,
          ],
          conditions: { StringEquals: { 'iam:AWSServiceName': service } },
        }),
      ]),
    });
    const caller = Stack.of(this).node.findChild(
      `AWS${cr.AwsCustomResource.PROVIDER_FUNCTION_UUID.replaceAll('-', '')}`,
    );
    acknowledgeCdkFunction(caller);
  }
}
