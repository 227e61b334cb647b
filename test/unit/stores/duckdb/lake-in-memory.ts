import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { MANIFEST_VERSION, type Manifest } from '../../../../core/columns/manifest.ts';
import { type ColumnFile, columnKey, manifestKey } from '../../../../core/columns/objects.ts';
import {
  type ByteRange,
  type ColumnReads,
  type ListedObject,
  ObjectChangedError,
  type OpenedObject,
} from '../../../../core/columns/selection.ts';
import { SORTED_BY } from '../../../../core/columns/tables.ts';
import type { Database } from '../../../../stores/duckdb/database.ts';
import { describeParquet } from '../../../../stores/duckdb/parquet.ts';

const etagOf = (bytes: Uint8Array) => `"${createHash('md5').update(bytes).digest('hex')}"`;

/** Objects, as S3 answers for them. */
export class InMemoryLake implements ColumnReads {
  readonly objects = new Map<string, Uint8Array>();
  bytesRead = 0;
  /** Called before each object is opened. */
  onOpen: (key: string) => void = () => {};

  async *list(prefix: string, startAfter = ''): AsyncGenerator<ListedObject> {
    for (const key of [...this.objects.keys()].filter((each) => each.startsWith(prefix)).sort()) {
      if (key > startAfter) yield { key, etag: etagOf(this.objects.get(key) as Uint8Array) };
    }
  }

  async folders(prefix: string): Promise<string[]> {
    const inside = [...this.objects.keys()].filter((key) => key.startsWith(prefix));
    const folders = inside.map((key) => prefix + key.slice(prefix.length).split('/')[0]);
    return [...new Set(folders.map((folder) => `${folder}/`))].sort();
  }

  async open(
    key: string,
    { range, etag }: { range?: ByteRange; etag?: string | undefined },
  ): Promise<OpenedObject> {
    this.onOpen(key);
    const object = this.objects.get(key);
    if (!object || (etag !== undefined && etag !== etagOf(object))) throw new ObjectChangedError(key);
    const start = range && (range.start ?? Math.max(0, object.length - range.end));
    const body = range ? object.subarray(start, range.start === undefined ? undefined : range.end) : object;
    this.bytesRead += body.length;
    return {
      etag: etagOf(object),
      body: (async function* () {
        yield body;
      })(),
    };
  }

  /** Writes a file of the lake, and its manifest. @param rows a SELECT of its columns */
  async put(database: Database, folder: string, file: ColumnFile, rows: string, options = ''): Promise<void> {
    const path = `${folder}/written.parquet`;
    const by = SORTED_BY[file.table].join(', ');
    await database.run(
      `COPY (${rows} ORDER BY ${by}) TO '${path}' (FORMAT parquet, COMPRESSION zstd ${options})`,
    );
    await this.putFile(database, file, path);
  }

  /** Puts a Parquet file, and its manifest. */
  async putFile(database: Database, file: ColumnFile, path: string): Promise<void> {
    const bytes = readFileSync(path);
    const manifest: Manifest = {
      v: MANIFEST_VERSION,
      object: columnKey(file),
      etag: etagOf(bytes),
      ...(await describeParquet(database, file.table, path)),
      skipped: 0,
      sources: [],
    };
    this.objects.set(columnKey(file), bytes);
    this.objects.set(manifestKey(file), Buffer.from(JSON.stringify(manifest)));
  }

  delete(file: ColumnFile): void {
    for (const key of [columnKey(file), manifestKey(file)]) this.objects.delete(key);
  }
}
