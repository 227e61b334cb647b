import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { removalPolicyOf } from '../config/removal.ts';
import type { StageConfig } from '../config/stage-config.ts';

export interface DataKeyProps {
  readonly config: StageConfig;
}

/** The one key of a stage: brokers, domain, lake, secrets and logs are encrypted with it. */
export class DataKey extends Construct {
  readonly key: kms.Key;

  constructor(scope: Construct, id: string, { config }: DataKeyProps) {
    super(scope, id);
    this.key = new kms.Key(this, 'Key', {
      description: `crypto-market-insights ${config.stage}: everything that the pipeline keeps`,
      enableKeyRotation: true,
      removalPolicy: removalPolicyOf(config),
      // The least that KMS grants; a stage whose data may go is not mourned.
      ...(config.dataOnRemoval === 'destroy' ? { pendingWindow: Duration.days(7) } : {}),
    });
    const { region, account, partition } = Stack.of(this);
    this.key.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'LogGroupsOfThisAccount',
        principals: [new iam.ServicePrincipal(`logs.${region}.amazonaws.com`)],
        actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
        // In a key's policy "*" is the key itself.
        resources: ['*'],
        conditions: {
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*`,
          },
        },
      }),
    );
  }
}
