import type { S3Client } from '@aws-sdk/client-s3';
import { createS3Client } from '../../stores/s3/client.ts';

export const LOCAL_REGION = 'us-east-1';
/** The local S3 server needs no credentials, but the SDK does. */
export const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export function localS3Client(endpoint: string): S3Client {
  return createS3Client(
    { AWS_ENDPOINT_URL_S3: endpoint },
    { endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS },
  );
}
