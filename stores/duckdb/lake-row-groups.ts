import { createHash } from 'node:crypto';
import type { Manifest } from '../../core/columns/manifest.ts';
import { type ColumnFile, columnKey } from '../../core/columns/objects.ts';
import type { ColumnReads, LakeSelection } from '../../core/columns/selection.ts';
import { type ColumnTable, SORTED_BY, TIME_COLUMNS } from '../../core/columns/tables.ts';
import type { Database } from './database.ts';
import type { LakeCache } from './lake-cache.ts';
import { quoted } from './sql-text.ts';

/** Bytes of a file, without `end`. */
export interface FileRange {
  start: number;
  end: number;
}

type KnownFile = Pick<Manifest, 'etag' | 'bytes' | 'sha256'>;

/** What costs more than it saves. */
export interface Thrift {
  /** A smaller file is downloaded whole, which saves a request. */
  smallBytes: number;
  /** What is asked for first of a file's end; larger than most footers. */
  tailBytes: number;
  /** What lies between two ranges is downloaded with them if it is no more than this. */
  gapBytes: number;
}

export const THRIFT: Thrift = { smallBytes: 1_000_000, tailBytes: 200_000, gapBytes: 100_000 };

/** With more symbols DuckDB no longer skips groups of rows by their smallest and largest symbol. */
const MOST_SYMBOLS = 50;
/** A part larger than this share of its file is not worth the second copy. */
const MOST_OF_FILE = 0.7;
/** The length of the footer, and PAR1. */
const END_BYTES = 8;
const MAGIC = Buffer.from('PAR1');

/** Reads the footers of Parquet files, which say where each column of each group of rows is. */
export class FooterReader {
  readonly #lake: ColumnReads;
  readonly #cache: LakeCache;
  readonly #database: Database;
  readonly #thrift: Thrift;

  constructor(lake: ColumnReads, cache: LakeCache, database: Database, thrift: Thrift) {
    this.#thrift = thrift;
    this.#lake = lake;
    this.#cache = cache;
    this.#database = database;
  }

  /** The parts of a file that a selection needs; undefined if it is better to download all of it. */
  async partOf(
    file: ColumnFile,
    known: KnownFile,
    selection: LakeSelection,
    signal: AbortSignal,
  ): Promise<FileRange[] | undefined> {
    const { symbols, columns } = selection;
    const isFew = symbols !== undefined && symbols.length <= MOST_SYMBOLS;
    if (known.bytes <= this.#thrift.smallBytes || !(isFew || columns?.[file.table])) return undefined;
    const needed = { symbols: isFew ? symbols : undefined, columns: columns?.[file.table] };
    // Reading a footer takes longer than reading what came of it: a year has hundreds.
    const name = `${footerName(file, known)}.${shortHash(JSON.stringify([needed, this.#thrift]))}`;
    const kept = await this.#cache.readIfThere(name);
    const ranges: FileRange[] | null = kept
      ? JSON.parse(kept.toString('utf8'))
      : await this.#find(file, known, needed, signal);
    if (!kept) await this.#cache.write(name, [{ offset: 0, chunks: [Buffer.from(JSON.stringify(ranges))] }]);
    return ranges ?? undefined;
  }

  async #find(
    file: ColumnFile,
    known: KnownFile,
    needed: Needed,
    signal: AbortSignal,
  ): Promise<FileRange[] | null> {
    const footer = await this.#footerOf(file, known, signal);
    const chunks = await this.#database.rows<{ start: bigint; end: bigint | null }>(
      chunksSql(this.#cache.path(footer), file.table, needed),
    );
    if (chunks.some(({ end }) => end === null)) return null;
    const found = chunks.map(({ start, end }) => ({ start: Number(start), end: Number(end) }));
    const ranges = joined(found, this.#thrift.gapBytes);
    return bytesIn(ranges) > known.bytes * MOST_OF_FILE ? null : ranges;
  }

  /** The end of a file, from its footer on. */
  async tailOf(file: ColumnFile, known: KnownFile, signal: AbortSignal): Promise<Buffer> {
    const name = await this.#footerOf(file, known, signal);
    const kept = await this.#cache.readIfThere(name);
    if (!kept) throw new Error(`${name} was deleted from the cache while it was used. Try again.`);
    return kept.subarray(MAGIC.length);
  }

  /** A footer is kept as a Parquet file that ends like the whole one: its name in the cache. */
  async #footerOf(file: ColumnFile, known: KnownFile, signal: AbortSignal): Promise<string> {
    const key = columnKey(file);
    const name = footerName(file, known);
    if (await this.#cache.has(name)) return name;
    const lastBytes = async (end: number) => {
      const { body } = await this.#lake.open(key, { range: { end }, etag: known.etag, signal });
      return Buffer.concat(await Array.fromAsync(body));
    };
    let last = await lastBytes(this.#thrift.tailBytes);
    const length = last.readUInt32LE(last.length - END_BYTES) + END_BYTES;
    if (length > last.length) last = await lastBytes(length);
    await this.#cache.write(name, [{ offset: 0, chunks: [MAGIC, last.subarray(last.length - length)] }]);
    return name;
  }
}

/** What a selection needs of one file. */
interface Needed {
  symbols: readonly string[] | undefined;
  columns: readonly string[] | undefined;
}

function footerName(file: ColumnFile, { sha256 }: KnownFile): string {
  return columnKey(file).replace(/[^/]*$/, `${sha256}.footer`);
}

/** Tells texts apart in names of files. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

export function bytesIn(ranges: readonly FileRange[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

/**
 * Where the pages and bloom filters are of the columns and groups of rows that a selection needs. A group is needed if one of
 * the symbols is between its smallest and its largest, which is also how DuckDB decides which groups to read.
 */
function chunksSql(path: string, table: ColumnTable, { symbols, columns }: Needed): string {
  const names = columns && [...new Set([...columns, ...SORTED_BY[table], TIME_COLUMNS[table]])];
  const isNamed = names ? `split_part(path_in_schema, ', ', 1) IN (${names.map(quoted).join(', ')})` : 'true';
  const values = (symbols ?? []).map((symbol) => `(${quoted(symbol)})`).join(', ');
  const groups = symbols
    ? `SELECT row_group_id FROM found, (VALUES ${values}) AS wanted (symbol)
       WHERE path_in_schema = 'symbol' AND coalesce(symbol BETWEEN stats_min_value AND stats_max_value, true)`
    : 'SELECT row_group_id FROM found';
  return `WITH found AS (SELECT * FROM parquet_metadata(${quoted(path)})),
    needed AS (SELECT * FROM found WHERE ${isNamed} AND row_group_id IN (${groups})),
    starts AS (SELECT *, least(data_page_offset, nullif(dictionary_page_offset, 0)) AS start FROM needed)
    SELECT start, start + total_compressed_size AS "end" FROM starts
    UNION ALL
    SELECT bloom_filter_offset, bloom_filter_offset + bloom_filter_length FROM needed WHERE bloom_filter_offset > 0
    ORDER BY 1`;
}

/** Ranges in order, those close to each other as one. */
function joined(sorted: readonly FileRange[], gapBytes: number): FileRange[] {
  const ranges: FileRange[] = [];
  for (const { start, end } of sorted) {
    const last = ranges.at(-1);
    if (last && start <= last.end + gapBytes) last.end = Math.max(last.end, end);
    else ranges.push({ start, end });
  }
  return ranges;
}
