import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { S3LakeHealth } from '../../../../stores/s3/health.ts';

/** @param read what the bucket returns for what was written */
async function probe(read: (written: string) => string) {
  const sent: [command: string, key: string | undefined][] = [];
  let written = '';
  const send = async (command: PutObjectCommand | GetObjectCommand) => {
    sent.push([command.constructor.name, command.input.Key]);
    if (command instanceof PutObjectCommand) written = String(command.input.Body);
    if (!(command instanceof GetObjectCommand)) return {};
    return { Body: { transformToByteArray: async () => Buffer.from(read(written)) } };
  };
  const isWell = await new S3LakeHealth({ send } as unknown as S3Client, 'lake').probe();
  return { isWell, sent };
}

it('the probe of the bucket keeps to its own prefix, and leaves nothing', async () => {
  expect(await probe((written) => written)).toEqual({
    isWell: true,
    sent: [
      ['PutObjectCommand', 'probe/doctor'],
      ['GetObjectCommand', 'probe/doctor'],
      ['DeleteObjectCommand', 'probe/doctor'],
    ],
  });
});

it('the probe of the bucket notices that it read something else', async () => {
  expect(await probe(() => 'something else')).toMatchObject({ isWell: false });
});
