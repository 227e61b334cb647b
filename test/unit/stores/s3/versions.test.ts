import type { ListObjectVersionsCommandInput, S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { S3Versions } from '../../../../stores/s3/versions.ts';

const at = (second: number) => new Date(Date.UTC(2026, 10, 24, 6, 0, second));

/** Answers listings with these pages; S3 lists versions and deletions apart. */
function clientOf(pages: readonly object[]) {
  const asked: ListObjectVersionsCommandInput[] = [];
  const send = async ({ input }: { input: ListObjectVersionsCommandInput }) => {
    const page = pages[asked.length];
    asked.push(input);
    return page;
  };
  return { client: { send } as unknown as S3Client, asked };
}

it('lists the whole history of each object, newest first, also across pages', async () => {
  const { client, asked } = clientOf([
    {
      IsTruncated: true,
      NextKeyMarker: 'b',
      NextVersionIdMarker: 'b2',
      Versions: [
        { Key: 'a', VersionId: 'a1', LastModified: at(1) },
        { Key: 'b', VersionId: 'b3', LastModified: at(3), IsLatest: true },
        { Key: 'b', VersionId: 'b2', LastModified: at(2) },
      ],
      DeleteMarkers: [{ Key: 'a', VersionId: 'a2', LastModified: at(1), IsLatest: true }],
    },
    {
      IsTruncated: false,
      Versions: [{ Key: 'b', VersionId: 'b1', LastModified: at(1) }],
      DeleteMarkers: [{ Key: 'c', VersionId: 'c1', LastModified: at(1), IsLatest: true }],
    },
  ]);
  const histories: string[][] = [];
  for await (const history of new S3Versions(client, 'lake').histories('tickers/')) {
    histories.push(history.map(({ versionId, isDeletion }) => `${versionId}${isDeletion ? ' deleted' : ''}`));
  }
  expect(histories).toEqual([['a2 deleted', 'a1'], ['b3', 'b2', 'b1'], ['c1 deleted']]);
  expect(asked[1]).toMatchObject({ Prefix: 'tickers/', KeyMarker: 'b', VersionIdMarker: 'b2' });
});
