import type { ColumnReads } from '../../core/columns/selection.ts';
import { localS3Client } from '../../local/engines/s3-client.ts';
import { BUCKET } from '../../local/pipeline/resources.ts';
import { withServices } from '../../local/pipeline/services.ts';
import { createS3Client } from '../../stores/s3/client.ts';
import { S3ColumnReads } from '../../stores/s3/column-reads.ts';
import type { TargetFlags } from './choose.ts';
import { outputOf } from './stage.ts';

/** Does work on the Parquet files of this machine's lake, or of a deployed stage's with the user's own credentials. */
export async function withLakeObjects<T>(
  { folder, stage, s3 }: Pick<TargetFlags, 'folder' | 'stage' | 's3'>,
  signal: AbortSignal,
  work: (objects: ColumnReads) => Promise<T>,
): Promise<T> {
  const withClient = async (client: ReturnType<typeof createS3Client>, bucket: string) => {
    try {
      return await work(new S3ColumnReads(client, bucket));
    } finally {
      client.destroy();
    }
  };
  if (stage !== undefined) {
    return withClient(createS3Client(process.env), await outputOf(stage, 'stateful', 'LakeBucketName'));
  }
  return withServices({ folder, given: { s3 }, needs: ['s3'], signal }, (urls) =>
    withClient(localS3Client(urls.s3), BUCKET),
  );
}
