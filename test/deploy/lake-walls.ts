import {
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { beforeAll, expect, it } from 'vitest';
import { columnKey, manifestKey } from '../../core/columns/objects.ts';
import { markerKey, tickersKey } from '../../core/lake/ticker-objects.ts';
import { bucketPolicyOf, isAllowed, type Policy } from './permissions.ts';
import type { Stage } from './stage.ts';

const SLOT_MS = Date.UTC(2031, 0, 1);
/** What the stage polls, and what it does not. */
const own = { exchange: 'bybit', category: 'spot' } as const;
const others = { exchange: 'kraken', category: 'spot' } as const;
const OWN_BATCH = tickersKey({ ...own, slotMs: SLOT_MS });
const OTHERS_BATCH = tickersKey({ ...others, slotMs: SLOT_MS });
const FILE = { table: 'tickers', ...own, period: '2031-01-01' } as const;
const NEW_BATCH = tickersKey({ ...others, slotMs: SLOT_MS + 60_000 });

type Attempt = (s3: S3Client, Bucket: string) => Promise<unknown>;

const put =
  (Key: string, condition: { IfNoneMatch?: '*' } = {}): Attempt =>
  (s3, Bucket) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body: 'forged', ...condition }));
const remove =
  (Key: string): Attempt =>
  (s3, Bucket) =>
    s3.send(new DeleteObjectCommand({ Bucket, Key }));
const list =
  (Prefix?: string): Attempt =>
  (s3, Bucket) =>
    s3.send(new ListObjectsV2Command({ Bucket, ...(Prefix ? { Prefix } : {}) }));

/** What no role may do to a batch, or to the bucket. */
const EVERYBODY: Record<string, Attempt> = {
  'replaces a batch': put(OWN_BATCH),
  'deletes a batch': remove(OWN_BATCH),
  'deletes one of its versions': (s3, Bucket) =>
    s3.send(new DeleteObjectCommand({ Bucket, Key: OWN_BATCH, VersionId: 'null' })),
  'deletes a marker': remove(markerKey(own)),
  'lets batches expire': (s3, Bucket) =>
    s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: {
          Rules: [{ ID: 'gone', Status: 'Enabled', Filter: { Prefix: 'tickers/' }, Expiration: { Days: 1 } }],
        },
      }),
    ),
  'keeps no versions': (s3, Bucket) =>
    s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } })),
  'removes the bucket’s policy': (s3, Bucket) => s3.send(new DeleteBucketPolicyCommand({ Bucket })),
  'lists the whole bucket': list(),
};

const ATTACKS: Record<string, Record<string, Attempt>> = {
  bybitIngest: {
    ...EVERYBODY,
    'replaces a batch of another source': put(OTHERS_BATCH),
    'adds a batch to another source': put(NEW_BATCH, { IfNoneMatch: '*' }),
    'moves the marker of another source': put(markerKey(others)),
    'reads a batch of another source': (s3, Bucket) =>
      s3.send(new GetObjectCommand({ Bucket, Key: OTHERS_BATCH })),
    'lists the batches of another source': list('tickers/exchange=kraken/'),
  },
  operate: {
    ...EVERYBODY,
    'adds a batch': put(NEW_BATCH, { IfNoneMatch: '*' }),
    'moves a marker': put(markerKey(own)),
  },
  compact: {
    ...EVERYBODY,
    'adds a batch': put(NEW_BATCH, { IfNoneMatch: '*' }),
    'moves a marker': put(markerKey(own)),
    'records a candle': put('candles/1'),
    'deletes a Parquet file': remove(columnKey(FILE)),
    'deletes a manifest': remove(manifestKey(FILE)),
    'reads a marker': (s3, Bucket) => s3.send(new GetObjectCommand({ Bucket, Key: markerKey(own) })),
  },
  setup: { ...EVERYBODY, 'adds a batch': put(NEW_BATCH, { IfNoneMatch: '*' }) },
  summarise: {
    ...EVERYBODY,
    'reads a batch': (s3, Bucket) => s3.send(new GetObjectCommand({ Bucket, Key: OWN_BATCH })),
  },
};

/** Tries with each function's credentials what a thief would try with the lake. */
export function lakeWalls(stage: () => Stage): void {
  beforeAll(async () => {
    const { s3, bucket } = stage();
    for (const key of [OWN_BATCH, OTHERS_BATCH]) await put(key, { IfNoneMatch: '*' })(s3, bucket);
  });

  it.each(Object.entries(ATTACKS))(
    '%s does nothing to the lake that is not its work',
    async (name, attacks) => {
      const { bucket, local } = stage();
      const credentials = await local.identities.credentialsOfFunction(stage().functionName(name));
      const s3 = new S3Client({ ...local.aws, credentials, forcePathStyle: true });
      const succeeded: string[] = [];
      for (const [what, attempt] of Object.entries(attacks)) {
        const status = await attempt(s3, bucket).then(
          () => 'done',
          (error) => error.name,
        );
        if (status !== 'AccessDenied') succeeded.push(`${what}: ${status}`);
      }
      expect(succeeded).toEqual([]);
    },
  );

  it('a function whose role may do everything is still refused by the bucket, as another evaluator sees it', async () => {
    const { s3, bucket } = stage();
    const bucketPolicy = await bucketPolicyOf(s3, bucket);
    const everything: Policy = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
    };
    const may = (action: string, key: string, context: Record<string, string>) => {
      const resource = `arn:aws:s3:::${bucket}${key && `/${key}`}`;
      return isAllowed(
        { role: 'any', action: `s3:${action}`, resource, context },
        [everything],
        bucketPolicy,
      );
    };
    const asFunction = { 'aws:PrincipalTag/used-by': 'crypto-market-insights-function' };
    const onlyIfNew = { 's3:if-none-match': '*' };

    expect(await may('PutObject', OWN_BATCH, asFunction)).toBe(false);
    expect(await may('PutObject', OWN_BATCH, { ...asFunction, ...onlyIfNew })).toBe(true);
    for (const key of [OWN_BATCH, markerKey(own), 'columns/1', 'rejected/1', 'redriven/1', 'backups/1']) {
      expect(await may('DeleteObject', key, asFunction), key).toBe(false);
    }
    for (const key of ['candles/1', 'dead-letters/1', 'aws/lambda/1', 'probe/1']) {
      expect(await may('DeleteObject', key, asFunction), key).toBe(true);
      expect(await may('DeleteObjectVersion', key, asFunction), key).toBe(false);
    }
    for (const action of [
      'PutLifecycleConfiguration',
      'PutBucketVersioning',
      'PutBucketPolicy',
      'DeleteBucket',
    ]) {
      expect(await may(action, '', asFunction), action).toBe(false);
    }
    // A person restoring the lake can delete wrong versions, but cannot replace anything by accident.
    expect(await may('DeleteObjectVersion', OWN_BATCH, {})).toBe(true);
    expect(await may('PutObject', OWN_BATCH, {})).toBe(false);
  });
}
