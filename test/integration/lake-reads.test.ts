import { text } from 'node:stream/consumers';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { ObjectChangedError } from '../../core/columns/selection.ts';
import { S3ColumnReads } from '../../stores/s3/column-reads.ts';
import { freshBucket, s3 } from './services.ts';

it('reads whole objects and parts of them, and only the version that was asked for', async () => {
  const bucket = await freshBucket();
  const put = (Body: string) => s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'a/b', Body }));
  await put('0123456789');
  const lake = new S3ColumnReads(s3, bucket);
  const [listed] = await Array.fromAsync(lake.list('a/'));
  const { signal } = new AbortController();
  const read = async (options: Partial<Parameters<typeof lake.open>[1]>) => {
    const { body, etag } = await lake.open('a/b', { signal, ...options });
    return [await text(body), etag];
  };
  expect(await read({})).toEqual(['0123456789', listed?.etag]);
  expect(await read({ range: { start: 2, end: 4 }, etag: listed?.etag })).toEqual(['23', listed?.etag]);
  expect(await read({ range: { end: 3 } })).toEqual(['789', listed?.etag]);

  await put('abc');
  await expect(read({ etag: listed?.etag })).rejects.toThrow(ObjectChangedError);
  await expect(lake.open('a/c', { signal })).rejects.toThrow(ObjectChangedError);
  await expect(lake.open('a/b', { signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow(
    'stopped',
  );
});
