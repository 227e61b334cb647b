import { type ColumnFile, MANIFESTS_PREFIX, parseManifestKey } from './objects.ts';
import { type ColumnTable, PERIOD_FOLDERS } from './tables.ts';

/** Which rows of the lake's Parquet files to read. A limit that is left out does not apply. */
export interface LakeSelection {
  tables: readonly ColumnTable[];
  exchange?: string | undefined;
  category?: string | undefined;
  /** As their exchanges spell them. */
  symbols?: readonly string[] | undefined;
  /** [from, to), epoch ms: slots of tickers, starts of candles, confirmations of moves. */
  fromMs?: number | undefined;
  toMs?: number | undefined;
  /** Only these columns of a table will be read, besides those that say whose and of when a row is. @default all */
  columns?: Partial<Record<ColumnTable, readonly string[]>> | undefined;
}

export interface ListedObject {
  key: string;
  etag: string;
}

/** Bytes of an object, from `start` up to but not including `end`; without a start, its last `end` bytes. */
export interface ByteRange {
  start?: number;
  end: number;
}

export interface OpenedObject {
  etag: string;
  body: AsyncIterable<Uint8Array>;
}

/** An object is not, or no longer, the one that its manifest describes. */
export class ObjectChangedError extends Error {
  override readonly name = 'ObjectChangedError';

  constructor(key: string, cause?: unknown) {
    super(
      `${key} is not what its manifest says: a compaction is under way or was interrupted, or somebody changed the file. "npm run compact" makes it again.`,
      { cause },
    );
  }
}

/** Reads the objects of the lake. */
export interface ColumnReads {
  /** Objects under a prefix, keys ascending; only those after `startAfter` if it is given. */
  list(prefix: string, startAfter?: string): AsyncIterable<ListedObject>;
  /** The folders directly inside a folder, ascending, as full paths with a trailing slash. */
  folders(prefix: string): Promise<string[]>;
  /**
   * @param etag only if the object still has it
   * @throws ObjectChangedError if it has not, or there is no such object
   */
  open(
    key: string,
    options: { range?: ByteRange; etag?: string | undefined; signal: AbortSignal },
  ): Promise<OpenedObject>;
}

/** A file that a selection needs, with its manifest as the lake lists it. */
export interface ListedFile extends ColumnFile {
  manifest: ListedObject;
}

/** The files of a selection that are compacted, by table, exchange, category and period. */
export async function* listFiles(lake: ColumnReads, selection: LakeSelection): AsyncGenerator<ListedFile> {
  for (const table of selection.tables) {
    const { first, last } = periodsOf(table, selection);
    for (const folder of await marketFolders(lake, table, selection)) {
      // Just before the first period's manifest, whose key goes on with `.json`.
      const startAfter = first === undefined ? undefined : `${folder}${PERIOD_FOLDERS[table]}=${first}`;
      for await (const manifest of lake.list(folder, startAfter)) {
        const file = parseManifestKey(manifest.key);
        if (!file) continue;
        if (last !== undefined && file.period > last) break;
        yield { ...file, manifest };
      }
    }
  }
}

async function marketFolders(
  lake: ColumnReads,
  table: ColumnTable,
  { exchange, category }: LakeSelection,
): Promise<string[]> {
  const step = async (folders: string[], name: string, value: string | undefined) =>
    value === undefined
      ? (await Promise.all(folders.map((folder) => lake.folders(folder)))).flat()
      : folders.map((folder) => `${folder}${name}=${value}/`);
  const ofExchanges = await step([`${MANIFESTS_PREFIX}${table}/`], 'exchange', exchange);
  return step(ofExchanges, 'category', category);
}

/** The first and the last period that a selection touches, if it is limited. */
function periodsOf(table: ColumnTable, { fromMs, toMs }: LakeSelection): { first?: string; last?: string } {
  const length = table === 'tickers' ? 'YYYY-MM-DD'.length : 'YYYY-MM'.length;
  const periodOf = (timeMs: number) => new Date(timeMs).toISOString().slice(0, length);
  return {
    ...(fromMs === undefined ? {} : { first: periodOf(fromMs) }),
    ...(toMs === undefined ? {} : { last: periodOf(toMs - 1) }),
  };
}
