import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { CALL_TIMEOUTS_MS, S3_ATTEMPTS } from '../../core/runtime/budgets.ts';

/**
 * An S3 client with a timeout on everything. `AWS_ENDPOINT_URL_S3` (or `AWS_ENDPOINT_URL`), which the SDK
 * reads itself, points it at another server; such servers are asked path-style.
 * @param settings what a caller outside of a Lambda has to say itself: region, credentials, endpoint
 */
export function createS3Client(environment: NodeJS.ProcessEnv, settings: S3ClientConfig = {}): S3Client {
  const elsewhere = environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL;
  return new S3Client({
    forcePathStyle: elsewhere !== undefined,
    // Servers other than AWS do not all know the newer trailing checksums.
    ...(elsewhere ? { requestChecksumCalculation: 'WHEN_REQUIRED' as const } : {}),
    maxAttempts: S3_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CALL_TIMEOUTS_MS.s3Connection,
      requestTimeout: CALL_TIMEOUTS_MS.s3,
      throwOnRequestTimeout: true,
    },
    ...settings,
  });
}
