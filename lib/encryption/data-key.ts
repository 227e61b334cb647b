import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

export interface DataKeyProps {
  readonly stage: string;
  readonly removalPolicy: RemovalPolicy;
}

/** The one key of a stage: it encrypts the brokers, the domain, the lake, secrets and logs. */
export class DataKey extends Construct {
  readonly key: kms.Key;

  constructor(scope: Construct, id: string, { stage, removalPolicy }: DataKeyProps) {
    super(scope, id);
    this.key = new kms.Key(this, 'Key', {
      description: `crypto-market-insights ${stage}: everything that the pipeline stores`,
      enableKeyRotation: true,
      removalPolicy,
      // The shortest that KMS allows.
      ...(removalPolicy === RemovalPolicy.DESTROY ? { pendingWindow: Duration.days(7) } : {}),
    });
    const { region, account, partition } = Stack.of(this);
    this.key.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'LogGroupsOfThisAccount',
        principals: [new iam.ServicePrincipal(`logs.${region}.amazonaws.com`)],
        actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
        // In a key policy "*" is the key itself.
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
