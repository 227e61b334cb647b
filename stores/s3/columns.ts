import type { S3Client } from '@aws-sdk/client-s3';
import { type Manifest, ManifestError, parseManifest } from '../../core/columns/manifest.ts';
import { type ColumnFile, columnKey, manifestKey, statesKey } from '../../core/columns/objects.ts';
import type { ColumnStore, ListedObject } from '../../core/columns/ports.ts';
import { S3Bucket } from './bucket.ts';

/** The lake's Parquet files and their manifests, and the objects they are made from. */
export class S3Columns implements ColumnStore {
  readonly #bucket: S3Bucket;

  /** @param client see {@link FILE_REQUESTS} */
  constructor(client: S3Client, bucket: string) {
    this.#bucket = new S3Bucket(client, bucket);
  }

  list(prefix: string): AsyncIterable<ListedObject> {
    return this.#bucket.list(prefix);
  }

  folders(prefix: string): Promise<string[]> {
    return this.#bucket.folders(prefix);
  }

  read(key: string): Promise<Uint8Array | undefined> {
    return this.#bucket.readIfThere(key);
  }

  fetchFile(key: string, path: string): Promise<void> {
    return this.#bucket.readFile(key, path);
  }

  async readManifest(file: ColumnFile): Promise<Manifest | undefined> {
    const key = manifestKey(file);
    const body = await this.#bucket.readIfThere(key);
    try {
      return body && parseManifest(Buffer.from(body).toString('utf8'), key);
    } catch (error) {
      if (error instanceof ManifestError) return undefined;
      throw error;
    }
  }

  putFile(file: ColumnFile, path: string): Promise<string> {
    return this.#bucket.writeFile(columnKey(file), path, 'application/vnd.apache.parquet');
  }

  putStates(file: ColumnFile, path: string): Promise<string> {
    return this.#bucket.writeFile(statesKey(file), path, 'application/vnd.apache.parquet');
  }

  async putManifest(file: ColumnFile, manifest: Manifest): Promise<void> {
    await this.#bucket.write(manifestKey(file), `${JSON.stringify(manifest)}\n`, 'application/json');
  }
}
