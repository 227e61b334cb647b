import { type PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { S3Lake } from '../../../../lambdas/adapters/s3-lake.ts';
import { SLOT_MS } from '../sample-tickers.ts';

const ADDRESS = { exchange: 'bybit', category: 'spot', slotMs: SLOT_MS } as const;

/** A lake whose store answers these statuses, one after the other. */
function lakeThatAnswers(...statuses: number[]) {
  const puts: PutObjectCommand['input'][] = [];
  const client = {
    send: async (command: PutObjectCommand) => {
      puts.push(command.input);
      const httpStatusCode = statuses.shift();
      if (httpStatusCode === 200) return;
      throw new S3ServiceException({
        name: 'SomeS3Error',
        message: `Status${httpStatusCode}`,
        $fault: 'client',
        $metadata: { httpStatusCode } as S3ServiceException['$metadata'],
      });
    },
  };
  return { lake: new S3Lake(client as unknown as S3Client, 'lake'), puts };
}

describe('the lake in S3', () => {
  it('writes a batch only where none is', async () => {
    const { lake, puts } = lakeThatAnswers(200);
    expect(await lake.putTickers(ADDRESS, ['{}'])).toBe('stored');
    expect(puts).toMatchObject([{ Bucket: 'lake', IfNoneMatch: '*' }]);
  });

  it('says that a batch is there already (412)', async () => {
    expect(await lakeThatAnswers(412).lake.putTickers(ADDRESS, ['{}'])).toBe('alreadyThere');
  });

  it('asks again who won where two wrote at once (409)', async () => {
    const { lake, puts } = lakeThatAnswers(409, 409, 412);
    expect(await lake.putTickers(ADDRESS, ['{}'])).toBe('alreadyThere');
    expect(puts).toHaveLength(3);
  });

  it('throws any other refusal', async () => {
    const { lake, puts } = lakeThatAnswers(403);
    await expect(lake.putTickers(ADDRESS, ['{}'])).rejects.toThrow('Status403');
    expect(puts).toHaveLength(1);
  });

  it('may write over a marker', async () => {
    const { lake, puts } = lakeThatAnswers(200);
    await lake.writeOutbox('bybit', { v: 1, acknowledged: {} });
    expect(puts[0]).toMatchObject({ Key: 'state/bybit.json' });
    expect(puts[0]).not.toHaveProperty('IfNoneMatch');
  });

  it('has nothing acknowledged before the first marker', async () => {
    expect(await lakeThatAnswers(404).lake.readOutbox('bybit')).toEqual({ v: 1, acknowledged: {} });
  });

  it('does not take a store that is down for an empty one', async () => {
    await expect(lakeThatAnswers(503).lake.readOutbox('bybit')).rejects.toThrow('Status503');
    await expect(lakeThatAnswers(500).lake.readTickers(ADDRESS)).rejects.toThrow('Status500');
  });
});
