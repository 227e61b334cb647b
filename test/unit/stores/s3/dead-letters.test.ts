import { type PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../../../core/index/ports.ts';
import { unpackLines } from '../../../../core/lake/ndjson.ts';
import { S3DeadLetters } from '../../../../stores/s3/dead-letters.ts';

const letter = (offset: number, given: Partial<DeadLetter> = {}): DeadLetter => ({
  v: 1,
  topic: 'tickers',
  partition: 2,
  offset,
  value_base64: 'b29wcw==',
  error_type: 'poison',
  reason: 'the value is not JSON',
  produced_at: '2026-03-01T12:00:00.000Z',
  first_seen: '2026-03-02T12:00:05.000Z',
  ...given,
});

/** What is written for these letters. */
async function put(...letters: DeadLetter[]) {
  const puts: PutObjectCommand['input'][] = [];
  const client = { send: async (command: PutObjectCommand) => void puts.push(command.input) };
  await new S3DeadLetters(client as unknown as S3Client, 'lake').put(letters);
  return puts;
}

describe('dead letters in S3', () => {
  it('are one object, named by day, first record and a hash of all', async () => {
    const [object] = await put(letter(7), letter(9));
    expect(object?.Bucket).toBe('lake');
    expect(object?.Key).toMatch(/^dead-letters\/dt=2026-03-01\/tickers-2-7-[0-9a-f]{12}\.ndjson\.gz$/);
    const lines = await unpackLines(object?.Body as Buffer);
    expect(lines.map((line) => JSON.parse(line))).toEqual([letter(7), letter(9)]);
  });

  it('have the same key when they are delivered again', async () => {
    const [[first], [again]] = [
      await put(letter(7), letter(9)),
      await put(letter(7), letter(9, { reason: 'said otherwise' })),
    ];
    expect(again?.Key).toBe(first?.Key);
  });

  it('never overwrite others that begin with the same record', async () => {
    const [[some], [others]] = [await put(letter(7), letter(9)), await put(letter(7))];
    expect(others?.Key).not.toBe(some?.Key);
  });

  it('have the same key on any day', async () => {
    const [[first], [again]] = [
      await put(letter(7)),
      await put(letter(7, { first_seen: '2026-03-09T00:00:00.000Z' })),
    ];
    expect(again?.Key).toBe(first?.Key);
  });

  it('leave those of an earlier delivery unchanged', async () => {
    const client = {
      send: async ({ input }: PutObjectCommand) => {
        expect(input.IfNoneMatch).toBe('*');
        throw new S3ServiceException({
          name: 'PreconditionFailed',
          $fault: 'client',
          $metadata: { httpStatusCode: 412 } as S3ServiceException['$metadata'],
        });
      },
    };
    await new S3DeadLetters(client as unknown as S3Client, 'lake').put([letter(7)]);
  });

  it('write nothing if there are none', async () => {
    expect(await put()).toEqual([]);
  });
});
