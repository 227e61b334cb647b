import type { Manifest, ManifestSource } from './manifest.ts';
import type { ColumnFile } from './objects.ts';
import type { ColumnTable } from './tables.ts';

/** An object as the store lists it. */
export interface ListedObject {
  key: string;
  etag: string;
  /** Epoch ms. */
  writtenMs: number;
}

/** The objects of the lake, for its Parquet files. Every method throws when the store cannot be reached. */
export interface ColumnStore {
  /** Objects under a prefix, keys ascending. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /** The folders directly inside a folder, ascending, as full paths with a trailing slash. */
  folders(prefix: string): Promise<string[]>;
  /** Undefined if there is no such object. */
  read(key: string): Promise<Uint8Array | undefined>;
  /** Copies an object to the local disk. @throws if there is no such object */
  fetchFile(key: string, path: string): Promise<void>;
  /** Undefined if the file has no manifest, or one that nobody can read: then it is written again. */
  readManifest(file: ColumnFile): Promise<Manifest | undefined>;
  /** Replaces a file at once: readers find the old or the new one. @returns its ETag */
  putFile(file: ColumnFile, path: string): Promise<string>;
  /** Replaces what is remembered for the next month. @returns its ETag */
  putStates(file: ColumnFile, path: string): Promise<string>;
  putManifest(file: ColumnFile, manifest: Manifest): Promise<void>;
}

/** A Parquet file on the local disk. */
export interface WrittenFile {
  path: string;
  /** What its rows are, and what could not become one. */
  content: Pick<
    Manifest,
    'bytes' | 'sha256' | 'rows' | 'first' | 'last' | 'symbols' | 'skipped' | 'unreadable' | 'completes'
  >;
  /** What is remembered for the next month, a file on the local disk. @default as it was */
  states?: { path: string; sha256: string };
  /** Why lines were skipped and objects not read. */
  problems: string[];
}

/** What to do with a file before it is deleted. */
export type Take<File> = (written: File) => Promise<void>;

/** How the files of one table are made. */
export interface ColumnMaker {
  readonly table: ColumnTable;
  /**
   * Looks once more at the files of an earlier maker, because what was made since may have become their source. Not for
   * counting. @default false
   */
  readonly isAgain?: boolean;
  /**
   * The files that may exist; if the table waits for the end of a period, only those of periods that are
   * over.
   * @param exchange @default all
   */
  files(nowMs: number, exchange?: string): Promise<ColumnFile[]>;
  /**
   * Whether a scheduled run should check the sources of an existing file. A command always does. Every file
   * gets its turn now and then.
   */
  isWorthALook(file: ColumnFile, nowMs: number): boolean;
  /** What a file is made from, as the store lists it now; by key if their order does not matter. None: there
   * is nothing to make. */
  sources(file: ColumnFile): Promise<Sources>;
  /**
   * Makes the file. The same sources always give the same bytes.
   * @param take what to do with it; then it is deleted
   * @param current of the file that is there, so that only what changed is made. @default everything is made
   */
  write(
    file: ColumnFile,
    sources: readonly ManifestSource[],
    take: Take<WrittenFile>,
    current?: Manifest,
  ): Promise<void>;
}

export interface Sources {
  sources: ManifestSource[];
  /** Objects that are in the wrong folder. */
  problems: string[];
  /** There are none any more: a file that is there is made empty. @default it stays as it is */
  areGone?: boolean;
}
