import { isDeepStrictEqual } from 'node:util';
import type { Manifest, ManifestSource } from './manifest.ts';
import {
  type ColumnFile,
  columnKey,
  columnsPrefix,
  manifestKey,
  manifestsPrefix,
  statesPrefix,
} from './objects.ts';
import type { ColumnStore } from './ports.ts';

/** Which Parquet files are there, and what they were made from. What belongs to a market's table is listed once. */
export class FileStates {
  readonly #store: ColumnStore;
  readonly #etags = new Map<string, string>();
  /** By prefix. */
  readonly #listings = new Map<string, Promise<void>>();

  constructor(store: ColumnStore) {
    this.#store = store;
  }

  /** Whether a file and its manifest exist. */
  async isThere(file: ColumnFile): Promise<boolean> {
    await Promise.all([this.#list(columnsPrefix(file)), this.#list(manifestsPrefix(file))]);
    return this.#etags.has(columnKey(file)) && this.#etags.has(manifestKey(file));
  }

  /** A file's manifest, if it describes what is in the lake. A killed run may have replaced the file but not the manifest. */
  async current(file: ColumnFile): Promise<Manifest | undefined> {
    if (!(await this.isThere(file))) return undefined;
    const manifest = await this.#store.readManifest(file);
    if (!manifest || manifest.etag !== this.#etags.get(columnKey(file))) return undefined;
    return (await this.#remembers(file, manifest)) ? manifest : undefined;
  }

  /** Records that a file was written. */
  wrote(file: ColumnFile, { object, etag, states }: Manifest): void {
    this.#etags.set(object, etag).set(manifestKey(file), '');
    if (states?.etag !== undefined) this.#etags.set(states.object, states.etag);
  }

  /** Whether what the next month continues with is there, if there is any. */
  async #remembers(file: ColumnFile, { states }: Manifest): Promise<boolean> {
    if (!states) return true;
    await this.#list(statesPrefix(file));
    const etag = this.#etags.get(states.object);
    return etag !== undefined && etag === (states.etag ?? etag);
  }

  #list(prefix: string): Promise<void> {
    const listing = this.#listings.get(prefix) ?? this.#listAll(prefix);
    this.#listings.set(prefix, listing);
    return listing;
  }

  async #listAll(prefix: string): Promise<void> {
    for await (const { key, etag } of this.#store.list(prefix)) this.#etags.set(key, etag);
  }
}

/** Whether a file with this manifest was made from these sources. */
export function isMadeFrom(manifest: Manifest | undefined, sources: readonly ManifestSource[]): boolean {
  return manifest !== undefined && isDeepStrictEqual(manifest.sources, sources);
}
