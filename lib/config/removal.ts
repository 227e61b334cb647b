import { RemovalPolicy } from 'aws-cdk-lib';
import type { StageConfig } from './stage-config.ts';

/** What becomes of a resource that holds data when it leaves its stack. */
export function removalPolicyOf({ dataOnRemoval }: StageConfig): RemovalPolicy {
  return dataOnRemoval === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
}
