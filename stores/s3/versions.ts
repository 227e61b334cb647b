import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { ObjectVersion, VersionedObjects } from '../../core/operate/restore.ts';

type Listed = ObjectVersion & { isLatest: boolean };

/** Metadata of an object that is an old version put again: which one. */
const RESTORED_FROM = 'restored-from';

/** A bucket with versioning. Its methods throw S3's own errors. */
export class S3Versions implements VersionedObjects {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async *histories(Prefix: string): AsyncGenerator<readonly ObjectVersion[]> {
    let page: ListObjectVersionsCommandOutput | undefined;
    /** Of the last key, whose history may go on with the next page. */
    let begun: Listed[] = [];
    do {
      page = await this.#client.send(
        new ListObjectVersionsCommand({
          Bucket: this.#bucket,
          Prefix,
          KeyMarker: page?.NextKeyMarker,
          VersionIdMarker: page?.NextVersionIdMarker,
        }),
      );
      const byKey = [...Map.groupBy([...begun, ...listedIn(page)], ({ key }) => key).values()];
      begun = page.IsTruncated ? (byKey.pop() ?? []) : [];
      yield* byKey.map(newestFirst);
    } while (page.IsTruncated);
  }

  async undelete({ key, versionId }: ObjectVersion): Promise<void> {
    await this.#client.send(
      new DeleteObjectCommand({ Bucket: this.#bucket, Key: key, VersionId: versionId }),
    );
  }

  async isAgain(latest: ObjectVersion, { versionId }: ObjectVersion): Promise<boolean> {
    const address = { Bucket: this.#bucket, Key: latest.key, VersionId: latest.versionId };
    const { Metadata } = await this.#client.send(new HeadObjectCommand(address));
    return Metadata?.[RESTORED_FROM] === versionId;
  }

  async putAgain({ key, versionId }: ObjectVersion, isDeleted: boolean): Promise<void> {
    const address = { Bucket: this.#bucket, Key: key };
    const old = await this.#client.send(new GetObjectCommand({ ...address, VersionId: versionId }));
    const Body = (await old.Body?.transformToByteArray()) ?? new Uint8Array();
    // The bucket does not allow replacing an object or copying over it. Deleting first loses nothing, because
    // the versions stay behind the delete marker.
    if (!isDeleted) await this.#client.send(new DeleteObjectCommand(address));
    const { ContentType, ContentEncoding } = old;
    const Metadata = { ...old.Metadata, [RESTORED_FROM]: versionId };
    await this.#client.send(
      new PutObjectCommand({ ...address, Body, ContentType, ContentEncoding, Metadata, IfNoneMatch: '*' }),
    );
  }
}

function listedIn({ Versions = [], DeleteMarkers = [] }: ListObjectVersionsCommandOutput): Listed[] {
  const kinds = [
    { entries: Versions, isDeletion: false },
    { entries: DeleteMarkers, isDeletion: true },
  ];
  return kinds.flatMap(({ entries, isDeletion }) =>
    entries.map(({ Key = '', VersionId = '', LastModified, IsLatest = false }) => ({
      key: Key,
      versionId: VersionId,
      atMs: LastModified?.getTime() ?? 0,
      isDeletion,
      isLatest: IsLatest,
    })),
  );
}

/** S3 lists versions and deletions apart, with times in whole seconds. */
function newestFirst(history: readonly Listed[]): ObjectVersion[] {
  return history.toSorted((a, b) => Number(b.isLatest) - Number(a.isLatest) || b.atMs - a.atMs);
}
