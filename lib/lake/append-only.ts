import * as iam from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { LakeConfig } from '../config/stage-config.ts';
import { PIPELINE_ROLE_TAG } from '../functions/pipeline-function.ts';

/** Folders in which functions delete objects that they have processed. */
export const EMPTIED_FOLDERS = ['candles', 'dead-letters', 'aws/lambda', 'probe'] as const;

/**
 * Makes the bucket itself protect its history, whatever the policies of roles allow. It recognises functions
 * by a tag on their roles, because the bucket's stack cannot name roles of a stack that is deployed after it.
 */
export function keepAppendOnly(bucket: Bucket, { acceptsCopies }: LakeConfig): void {
  const deny = (sid: string, statement: iam.PolicyStatementProps) =>
    bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid,
        effect: iam.Effect.DENY,
        principals: [new iam.AnyPrincipal()],
        ...statement,
      }),
    );
  const byFunctions = {
    StringEquals: { [`aws:PrincipalTag/${PIPELINE_ROLE_TAG.key}`]: PIPELINE_ROLE_TAG.value },
  };
  if (!acceptsCopies) {
    // For everyone. It also refuses copies and uploads in parts, whose requests carry no such condition.
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    deny('TickersAreWrittenOnce', {
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects('tickers/*')],
      conditions: { Null: { 's3:if-none-match': 'true' } },
    });
  }
  deny('FunctionsDeleteNoHistory', {
    actions: ['s3:DeleteObject'],
    notResources: EMPTIED_FOLDERS.map((folder) => bucket.arnForObjects(`${folder}/*`)),
    conditions: byFunctions,
  });
  // Neither versions nor the bucket's settings, such as its lifecycle, versioning and policy.
  deny('FunctionsOnlyUseObjects', {
    notActions: ['s3:GetObject', 's3:PutObject', 's3:PutObjectRetention', 's3:DeleteObject', 's3:ListBucket'],
    resources: [bucket.bucketArn, bucket.arnForObjects('*')],
    conditions: byFunctions,
  });
}
