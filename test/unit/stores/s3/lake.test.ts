import { type PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { markerText } from '../../../../core/ingest/marker-text.ts';
import { UnreadableObjectError, unpackLines } from '../../../../core/lake/ndjson.ts';
import { DAY_MS } from '../../../../core/market/time.ts';
import { S3Lake } from '../../../../stores/s3/lake.ts';
import { SLOT, SLOT_MS } from '../../../samples/tickers.ts';

const ADDRESS = { exchange: 'bybit', category: 'spot', slotMs: SLOT_MS } as const;

const MARKET = { exchange: 'bybit', category: 'spot' } as const;
const MARKER = { throughMs: SLOT_MS, beyondMs: [SLOT_MS + 1], tickers: 3 };

const REJECTED = {
  v: 1,
  exchange: 'bybit',
  category: 'spot',
  slot: SLOT,
  received_at: SLOT,
  url: 'http://exchange.example',
  reason: 'odd',
} as const;

const s3Error = (httpStatusCode: number | undefined, name: string) =>
  new S3ServiceException({
    name,
    message: `Status${httpStatusCode}`,
    $fault: 'client',
    $metadata: { httpStatusCode } as S3ServiceException['$metadata'],
  });

const lakeWhoseClient = (send: () => Promise<unknown>) => ({
  lake: new S3Lake({ send } as unknown as S3Client, 'lake'),
});

/** A lake whose store answers with these statuses in turn. */
function lakeThatAnswers(...statuses: number[]) {
  const puts: PutObjectCommand['input'][] = [];
  const client = {
    send: async (command: PutObjectCommand) => {
      puts.push(command.input);
      const httpStatusCode = statuses.shift();
      if (httpStatusCode === 200) return;
      throw s3Error(httpStatusCode, 'SomeS3Error');
    },
  };
  return { lake: new S3Lake(client as unknown as S3Client, 'lake'), puts };
}

describe('the lake in S3', () => {
  it('writes a batch only if none exists', async () => {
    const { lake, puts } = lakeThatAnswers(200);
    const stored = await lake.putTickers(ADDRESS, ['{}']);
    expect(puts).toMatchObject([{ Bucket: 'lake', IfNoneMatch: '*' }]);
    expect(stored).toEqual({ bytes: (puts[0]?.Body as Buffer | undefined)?.length });
  });

  it('locks a batch, and nothing else, for the configured time', async () => {
    const puts: PutObjectCommand['input'][] = [];
    const client = { send: async ({ input }: PutObjectCommand) => puts.push(input) };
    const lake = new S3Lake(client as unknown as S3Client, 'lake', { lockDays: 30 });
    const earliest = Date.now() + 30 * DAY_MS;
    await lake.putTickers(ADDRESS, ['{}']);
    await lake.putRejected(ADDRESS, 0, []);
    const [batch, rejected] = puts;
    expect(batch).toMatchObject({ ObjectLockMode: 'GOVERNANCE', IfNoneMatch: '*' });
    expect(Number(batch?.ObjectLockRetainUntilDate)).toBeGreaterThanOrEqual(earliest);
    expect(rejected).not.toHaveProperty('ObjectLockMode');
  });

  it('says that a batch exists already (412)', async () => {
    expect(await lakeThatAnswers(412).lake.putTickers(ADDRESS, ['{}'])).toBe('alreadyThere');
  });

  it('asks again which of two concurrent writes won (409)', async () => {
    const { lake, puts } = lakeThatAnswers(409, 409, 412);
    expect(await lake.putTickers(ADDRESS, ['{}'])).toBe('alreadyThere');
    expect(puts).toHaveLength(3);
  });

  it('throws on any other refusal', async () => {
    const { lake, puts } = lakeThatAnswers(403);
    await expect(lake.putTickers(ADDRESS, ['{}'])).rejects.toThrow('Status403');
    expect(puts).toHaveLength(1);
  });

  it('overwrites a marker', async () => {
    const { lake, puts } = lakeThatAnswers(200);
    await lake.writeMarker(MARKET, MARKER);
    expect(puts[0]).toMatchObject({ Key: 'state/exchange=bybit/category=spot.json' });
    expect(puts[0]).not.toHaveProperty('IfNoneMatch');
  });

  it('has acknowledged nothing before the first marker', async () => {
    expect(await lakeThatAnswers(404).lake.readMarker(MARKET)).toBeUndefined();
  });

  it('continues from the marker that an earlier version kept by source, unless the market has its own', async () => {
    const objects: Record<string, string> = {
      'state/renamed.json': '{"v":1,"acknowledged":{"spot":{"slot":"2026-03-01T12:00:00.000Z","tickers":7}}}',
    };
    const send = async ({ input: { Key = '' } }: { input: { Key?: string } }) => {
      const text = objects[Key];
      if (text === undefined) throw s3Error(404, 'NoSuchKey');
      return { Body: { transformToByteArray: async () => Buffer.from(text) } };
    };
    const lake = new S3Lake({ send } as unknown as S3Client, 'lake');
    const read = () => lake.readMarker(MARKET, Date.now() + 5_000, 'renamed');
    expect(await read()).toEqual({ throughMs: SLOT_MS, beyondMs: [], tickers: 7 });
    objects['state/exchange=bybit/category=spot.json'] = markerText(MARKER);
    expect(await read()).toEqual(MARKER);
    objects['state/exchange=bybit/category=spot.json'] = '{"v":1}';
    await expect(read()).rejects.toMatchObject({ key: 'state/exchange=bybit/category=spot.json' });
  });

  it('does not mistake a store that is down for an empty one', async () => {
    await expect(lakeThatAnswers(503).lake.readMarker(MARKET)).rejects.toThrow('Status503');
    await expect(lakeThatAnswers(500).lake.readTickers(ADDRESS)).rejects.toThrow('Status500');
  });

  it('does not mistake a missing bucket for an empty lake', async () => {
    const { lake } = lakeWhoseClient(async () => {
      throw s3Error(404, 'NoSuchBucket');
    });
    await expect(lake.readMarker(MARKET)).rejects.toThrow('The bucket does not exist: deploy the stage');
  });

  it('names what failed, the bucket, the reason and what to do', async () => {
    await expect(lakeThatAnswers(403).lake.writeMarker(MARKET, MARKER)).rejects.toThrow(
      "state/exchange=bybit/category=spot.json could not be written (bucket lake): SomeS3Error: Status403. Check the role's permissions on the bucket and on its key.",
    );
    const { lake } = lakeWhoseClient(async () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { name: 'Error' });
    });
    await expect(lake.readTickers(ADDRESS)).rejects.toThrow(
      /ECONNREFUSED. S3 did not answer. The request will be retried/,
    );
  });

  it('says that an object is permanently unreadable if it is not gzip', async () => {
    const { lake } = lakeWhoseClient(async () => ({
      Body: { transformToByteArray: async () => Buffer.from('oops') },
    }));
    await expect(lake.readTickers(ADDRESS)).rejects.toThrow(UnreadableObjectError);
  });

  it('keeps a rejected value that cannot be written as JSON', async () => {
    const { lake, puts } = lakeThatAnswers(200);
    let value: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) value = [value];
    await lake.putRejected(ADDRESS, SLOT_MS, [
      { ...REJECTED, value },
      { ...REJECTED, value: 'x' },
    ]);
    const lines = (await unpackLines(puts[0]?.Body as Buffer)).map((line) => JSON.parse(line));
    expect(lines).toMatchObject([{ value_text: expect.stringContaining('[') }, { value: 'x' }]);
    expect(lines[0].reason).toMatch(/^odd; its value cannot be written as JSON/);
  });
});
