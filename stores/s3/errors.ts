import { S3ServiceException } from '@aws-sdk/client-s3';

/** S3 did not do what it was asked. The message names the bucket, the reason and what to do. */
export class LakeUnavailableError extends Error {
  override readonly name = 'LakeUnavailableError';
}

/** The HTTP status of S3's answer; undefined without an answer. */
export function s3Status(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** Whether the object is missing, rather than the bucket. */
export function isNoSuchObject(error: unknown): boolean {
  return s3Status(error) === 404 && (error as Error).name !== 'NoSuchBucket';
}

/** @param what failed, e.g. `state/bybit.json could not be read` */
export function lakeUnavailable(bucket: string, what: string, cause: unknown): LakeUnavailableError {
  const { name, message } = cause instanceof Error ? cause : { name: 'Error', message: String(cause) };
  const reason = (message && message !== name ? `${name}: ${message}` : name).replace(/\.$/, '');
  const advice = whatToDo(s3Status(cause), name);
  return new LakeUnavailableError(`${what} (bucket ${bucket}): ${reason}. ${advice}`, { cause });
}

function whatToDo(status: number | undefined, name: string): string {
  if (status === undefined) {
    return 'S3 did not answer. The request will be retried; check that the endpoint is reachable.';
  }
  if (status >= 500 || status === 429) return 'S3 is busy or unwell. The request will be retried.';
  if (name === 'NoSuchBucket') {
    return 'The bucket does not exist: deploy the stage, or start the pipeline, again.';
  }
  if (status === 401 || status === 403) return "Check the role's permissions on the bucket and on its key.";
  return 'Retrying will not help: check the request and the bucket.';
}
