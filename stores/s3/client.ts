import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { CALL_TIMEOUTS_MS, S3_ATTEMPTS } from '../../core/runtime/budgets.ts';

/**
 * An S3 client with a timeout on everything. The SDK itself reads `AWS_ENDPOINT_URL_S3` (or `AWS_ENDPOINT_URL`), which
 * points it at another server; such servers get path-style requests.
 * @param settings what the environment outside a Lambda does not provide: region, credentials, endpoint
 */
export function createS3Client(environment: NodeJS.ProcessEnv, settings: S3ClientConfig = {}): S3Client {
  const elsewhere = environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL;
  return new S3Client({
    forcePathStyle: elsewhere !== undefined,
    // Not every server outside AWS knows the newer trailing checksums.
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

/** Settings of a client that writes and reads whole files. */
export const FILE_REQUESTS: S3ClientConfig = {
  requestHandler: {
    connectionTimeout: CALL_TIMEOUTS_MS.s3Connection,
    requestTimeout: CALL_TIMEOUTS_MS.s3File,
    throwOnRequestTimeout: true,
  },
};
