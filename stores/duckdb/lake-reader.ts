import { setTimeout as sleep } from 'node:timers/promises';
import { type Manifest, parseManifest } from '../../core/columns/manifest.ts';
import { type ColumnFile, columnKey, manifestKey } from '../../core/columns/objects.ts';
import {
  type ColumnReads,
  type LakeSelection,
  type ListedFile,
  type ListedObject,
  listFiles,
  ObjectChangedError,
} from '../../core/columns/selection.ts';
import { sideBySide } from '../../core/runtime/side-by-side.ts';
import { LakeUnavailableError, s3Status } from '../s3/errors.ts';
import type { Database } from './database.ts';
import type { LakeCache } from './lake-cache.ts';
import { bytesIn, type FileRange, FooterReader, shortHash, THRIFT, type Thrift } from './lake-row-groups.ts';

/** A file, and what its manifest says of it. */
export interface KnownFile {
  file: ColumnFile;
  manifest: KnownManifest;
}

/** A file as it will be on this machine. */
export interface PlannedFile extends KnownFile {
  /** In the cache. */
  name: string;
  /** If not all of it is needed. */
  ranges?: readonly FileRange[];
  /** To download; none if the cache has it. */
  bytes: number;
}

/** A file on this machine; if only parts of it were downloaded, it has only those. */
export interface DownloadedFile extends ColumnFile {
  manifest: KnownManifest;
  path: string;
}

/** What is kept of a manifest. */
export type KnownManifest = Omit<Manifest, 'sources'>;

/** What a selection needs. */
export interface LakePlan {
  selection: LakeSelection;
  files: readonly PlannedFile[];
  bytesToDownload: number;
}

/** Objects that are read at once. */
const AT_ONCE = 8;
/** A compaction writes a file and then its manifest; the second takes a moment. */
const WAITS_MS = [250, 500, 1_000, 2_000];

/** Downloads Parquet files of the lake to this machine. */
export class LakeReader {
  readonly #lake: ColumnReads;
  readonly #cache: LakeCache;
  readonly #footers: FooterReader;
  readonly #waitsMs: readonly number[];

  /**
   * @param database any, to look into the files with
   * @param waitsMs before each further attempt, if a file is being replaced
   */
  constructor(
    lake: ColumnReads,
    cache: LakeCache,
    database: Database,
    { waitsMs = WAITS_MS, thrift = THRIFT }: { waitsMs?: readonly number[]; thrift?: Thrift } = {},
  ) {
    this.#lake = lake;
    this.#cache = cache;
    this.#waitsMs = waitsMs;
    this.#footers = new FooterReader(lake, cache, database, thrift);
  }

  /** Finds out what a selection needs. */
  async plan(selection: LakeSelection, signal: AbortSignal): Promise<LakePlan> {
    return this.planFiles(await Array.fromAsync(listFiles(this.#lake, selection)), selection, signal);
  }

  /** {@link plan}, of files that are already listed. */
  async planFiles(
    listed: readonly ListedFile[],
    selection: LakeSelection,
    signal: AbortSignal,
  ): Promise<LakePlan> {
    const planned = await this.#each(listed, selection, signal, (file, manifest) =>
      this.#planFile(file, manifest, selection, signal),
    );
    const files = planned.filter((file) => file !== undefined);
    return { selection, files, bytesToDownload: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  /** The files that a selection needs. */
  async manifests(selection: LakeSelection, signal: AbortSignal): Promise<KnownFile[]> {
    const listed = await Array.fromAsync(listFiles(this.#lake, selection));
    return this.#each(listed, selection, signal, async (file, manifest) => ({ file, manifest }));
  }

  async #each<T>(
    listed: readonly ListedFile[],
    selection: LakeSelection,
    signal: AbortSignal,
    work: (file: ColumnFile, manifest: KnownManifest) => Promise<T>,
  ): Promise<T[]> {
    const results = await sideBySide(listed, AT_ONCE, ({ manifest, ...file }) =>
      this.#retried(async (isAgain) => {
        const known =
          (isAgain ? undefined : await this.#kept(manifest)) ?? (await this.#readManifest(file, signal));
        return mayHaveRows(known, selection) ? [await work(file, known)] : [];
      }, signal),
    );
    return results.flat();
  }

  /**
   * Downloads what is not in the cache.
   * @param onProgress how many bytes came, each time some did
   * @returns the files of the plan as they are now, all on this machine
   */
  async download(
    plan: LakePlan,
    signal: AbortSignal,
    onProgress: (bytes: number) => void = () => {},
  ): Promise<DownloadedFile[]> {
    const downloaded = await sideBySide(plan.files, AT_ONCE, (planned) =>
      this.#retried(async (isAgain) => {
        const file = isAgain ? await this.#planAgain(planned.file, plan.selection, signal) : planned;
        if (file && !(await this.#cache.has(file.name))) await this.#downloadFile(file, signal, onProgress);
        return file;
      }, signal),
    );
    await this.#cache.prune();
    return downloaded
      .filter((file) => file !== undefined)
      .map(({ file, manifest, name }) => ({ ...file, manifest, path: this.#cache.path(name) }));
  }

  async #planAgain(file: ColumnFile, selection: LakeSelection, signal: AbortSignal) {
    return this.#planFile(file, await this.#readManifest(file, signal), selection, signal);
  }

  async #planFile(
    file: ColumnFile,
    manifest: KnownManifest,
    selection: LakeSelection,
    signal: AbortSignal,
  ): Promise<PlannedFile | undefined> {
    if (!mayHaveRows(manifest, selection)) return undefined;
    const folder = columnKey(file).replace(/\/[^/]*$/, '');
    const whole = { file, manifest, name: `${folder}/${manifest.sha256}.parquet` };
    if (await this.#cache.has(whole.name)) return { ...whole, bytes: 0 };
    const ranges = await this.#footers.partOf(file, manifest, selection, signal);
    if (!ranges) return { ...whole, bytes: manifest.bytes };
    const name = `${folder}/${manifest.sha256}.${shortHash(JSON.stringify(ranges))}.parquet`;
    return { file, manifest, name, ranges, bytes: (await this.#cache.has(name)) ? 0 : bytesIn(ranges) };
  }

  async #kept(manifest: ListedObject): Promise<KnownManifest | undefined> {
    const kept = await this.#cache.readIfThere(manifestName(manifest));
    return kept && JSON.parse(kept.toString('utf8'));
  }

  async #readManifest(file: ColumnFile, signal: AbortSignal): Promise<KnownManifest> {
    const key = manifestKey(file);
    const { body, etag } = await this.#lake.open(key, { signal });
    const text = Buffer.concat(await Array.fromAsync(body)).toString('utf8');
    const { sources: _, ...manifest } = parseManifest(text, key);
    await this.#cache.write(manifestName({ key, etag }), [
      { offset: 0, chunks: [Buffer.from(JSON.stringify(manifest))] },
    ]);
    return manifest;
  }

  async #downloadFile(
    { file, manifest, ranges, name }: PlannedFile,
    signal: AbortSignal,
    onProgress: (bytes: number) => void,
  ): Promise<void> {
    const key = columnKey(file);
    const { etag, bytes, sha256 } = manifest;
    const lake = this.#lake;
    async function* read(range?: FileRange) {
      const { body } = await lake.open(key, { ...(range ? { range } : {}), etag, signal });
      for await (const chunk of body) {
        onProgress(chunk.length);
        yield chunk;
      }
    }
    if (ranges) {
      const tail = await this.#footers.tailOf(file, manifest, signal);
      const pieces = ranges.map((range) => ({ offset: range.start, chunks: read(range) }));
      await this.#cache.write(name, [...pieces, { offset: bytes - tail.length, chunks: [tail] }]);
    } else {
      await this.#cache.write(name, [{ offset: 0, chunks: read() }], (found) => {
        if (found !== sha256) throw new ObjectChangedError(key);
      });
    }
  }

  /** Tries again if the file was being replaced, or the connection was lost. */
  async #retried<T>(work: (isAgain: boolean) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (const [index, waitMs] of [...this.#waitsMs, undefined].entries()) {
      try {
        return await work(index > 0);
      } catch (error) {
        if (waitMs === undefined || signal.aborted || !mayPass(error)) throw error;
        await sleep(waitMs, undefined, { signal });
      }
    }
    throw new Error('unreachable');
  }
}

function manifestName({ key, etag }: ListedObject): string {
  return `${key}.${shortHash(etag)}`;
}

/** Whether what failed may succeed a moment later. */
function mayPass(error: unknown): boolean {
  if (error instanceof ObjectChangedError) return true;
  return error instanceof LakeUnavailableError && s3Status(error.cause) === undefined;
}

function mayHaveRows({ rows, first, last, symbols }: KnownManifest, selection: LakeSelection): boolean {
  if (rows === 0 || first === undefined || last === undefined) return false;
  const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = selection;
  if (Date.parse(last) < fromMs || Date.parse(first) >= toMs) return false;
  return selection.symbols?.some((symbol) => Object.hasOwn(symbols, symbol)) ?? true;
}
