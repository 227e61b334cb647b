import type { RemovalPolicy } from 'aws-cdk-lib';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { Notifications } from '../monitoring/notifications.ts';

/** What the brokers and the domain share. */
export interface EngineProps {
  readonly stage: string;
  readonly vpc: IVpc;
  readonly key: IKey;
  readonly logs: LogGroupProps;
  readonly removalPolicy: RemovalPolicy;
  readonly notifications: Notifications;
}
