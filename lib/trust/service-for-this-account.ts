import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/**
 * A service of AWS, trusted only while it acts for this account: otherwise anyone's resource in that service could use
 * what it was granted (the confused deputy).
 * @param sourceArn the resources for which it acts, may contain `*`. @default any of this account
 */
export function serviceForThisAccount(
  scope: Construct,
  service: string,
  sourceArn?: string,
): iam.ServicePrincipal {
  return new iam.ServicePrincipal(service, {
    conditions: {
      StringEquals: { 'aws:SourceAccount': Stack.of(scope).account },
      ...(sourceArn ? { ArnLike: { 'aws:SourceArn': sourceArn } } : {}),
    },
  });
}
