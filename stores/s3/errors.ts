import { S3ServiceException } from '@aws-sdk/client-s3';

/** S3 did not do what we asked; names the bucket, the reason and what to do. */
export class LakeUnavailableError extends Error {
  override readonly name = 'LakeUnavailableError';
}

/** The HTTP status of S3's answer; undefined where there was none. */
export function s3Status(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** Whether S3 says that there is no such object, rather than no such bucket. */
export function isNoSuchObject(error: unknown): boolean {
  return s3Status(error) === 404 && (error as Error).name !== 'NoSuchBucket';
}

/** @param what was not possible, e.g. `state/bybit.json could not be read` */
export function lakeUnavailable(bucket: string, what: string, cause: unknown): LakeUnavailableError {
  const { name, message } = cause instanceof Error ? cause : { name: 'Error', message: String(cause) };
  const reason = message && message !== name ? `${name}: ${message}` : name;
  return new LakeUnavailableError(
    `${what} (bucket ${bucket}): ${reason}. ${whatToDo(s3Status(cause), name)}`,
    {
      cause,
    },
  );
}

function whatToDo(status: number | undefined, name: string): string {
  if (status === undefined)
    return 'S3 gave no answer: it is asked again; see whether its endpoint is reachable.';
  if (status >= 500 || status === 429) return 'S3 is busy or ill: it is asked again.';
  if (name === 'NoSuchBucket')
    return 'There is no such bucket: deploy the stage, or start the pipeline, again.';
  if (status === 401 || status === 403) return "Check the role's rights to the bucket and to its key.";
  return 'Asking again will not help: check the request and the bucket.';
}
