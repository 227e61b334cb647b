import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { lakeUnavailable } from './errors.ts';

/**
 * The bytes of an object.
 * @throws LakeUnavailableError, also where there is no such object: S3's own error is its cause
 */
export async function readObject(client: S3Client, bucket: string, key: string): Promise<Uint8Array> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return (await Body?.transformToByteArray()) ?? new Uint8Array();
  } catch (error) {
    throw lakeUnavailable(bucket, `${key} could not be read`, error);
  }
}
