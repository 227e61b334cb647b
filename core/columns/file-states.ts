import { isDeepStrictEqual } from 'node:util';
import type { ManifestSource } from './manifest.ts';
import { type ColumnFile, columnKey, columnsPrefix, manifestKey, manifestsPrefix } from './objects.ts';
import type { ColumnStore } from './ports.ts';

/** What the store lists of a market's table: the ETags of its files, and its manifests. */
interface Listed {
  etags: Map<string, string>;
  manifests: Set<string>;
}

/** Which Parquet files are there, and whether they are up to date. A market's table is listed once. */
export class FileStates {
  readonly #store: ColumnStore;
  readonly #listed = new Map<string, Promise<Listed>>();

  constructor(store: ColumnStore) {
    this.#store = store;
  }

  /** Whether a file and its manifest exist. */
  async isThere(file: ColumnFile): Promise<boolean> {
    const { etags, manifests } = await this.#list(file);
    return etags.has(columnKey(file)) && manifests.has(manifestKey(file));
  }

  /** Whether a file is there, is the one that its manifest describes, and was made from these sources. */
  async isMadeFrom(file: ColumnFile, sources: readonly ManifestSource[]): Promise<boolean> {
    if (!(await this.isThere(file))) return false;
    const { etags } = await this.#list(file);
    const manifest = await this.#store.readManifest(file);
    return (
      manifest !== undefined &&
      manifest.etag === etags.get(columnKey(file)) &&
      isDeepStrictEqual(manifest.sources, sources)
    );
  }

  /** Takes note of a file that was written. */
  async wrote(file: ColumnFile, etag: string): Promise<void> {
    const { etags, manifests } = await this.#list(file);
    etags.set(columnKey(file), etag);
    manifests.add(manifestKey(file));
  }

  #list(file: ColumnFile): Promise<Listed> {
    const prefix = columnsPrefix(file);
    const known = this.#listed.get(prefix);
    if (known) return known;
    const listing = this.#listMarket(file);
    this.#listed.set(prefix, listing);
    return listing;
  }

  async #listMarket(file: ColumnFile): Promise<Listed> {
    const etags = new Map<string, string>();
    for await (const { key, etag } of this.#store.list(columnsPrefix(file))) etags.set(key, etag);
    const manifests = new Set<string>();
    for await (const { key } of this.#store.list(manifestsPrefix(file))) manifests.add(key);
    return { etags, manifests };
  }
}
