import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { type Manifest, ManifestError, parseManifest } from '../../../../core/columns/manifest.ts';
import { type ColumnFile, columnKey, manifestKey, statesKey } from '../../../../core/columns/objects.ts';
import type { ColumnStore, ListedObject } from '../../../../core/columns/ports.ts';

/** The process was killed: earlier writes are kept, later ones do not happen. */
export class Killed extends Error {}

/** The lake's objects in memory, the last one written last. */
export class MemoryColumns implements ColumnStore {
  readonly objects = new Map<string, { body: Uint8Array; writtenMs: number }>();
  writes = 0;
  /** Which write kills the process; counted from 1. */
  killAt = Number.POSITIVE_INFINITY;

  put(key: string, body: Uint8Array): string {
    this.writes += 1;
    this.#throwIfKilled();
    this.objects.set(key, { body, writtenMs: this.writes });
    return etagOf(body);
  }

  #throwIfKilled(): void {
    if (this.writes >= this.killAt) throw new Killed(`killed at write ${this.writes}`);
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    for (const [key, { body, writtenMs }] of [...this.objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (key.startsWith(prefix)) yield { key, etag: etagOf(body), writtenMs };
    }
  }

  async folders(prefix: string): Promise<string[]> {
    const inside = [...this.objects.keys()].filter((key) => key.startsWith(prefix));
    const names = inside.flatMap((key) => /^[^/]+\//.exec(key.slice(prefix.length))?.[0] ?? []);
    return [...new Set(names)].sort().map((name) => prefix + name);
  }

  async read(key: string): Promise<Uint8Array | undefined> {
    return this.objects.get(key)?.body;
  }

  async fetchFile(key: string, path: string): Promise<void> {
    // What an earlier failure left out is not what ends a killed run.
    this.#throwIfKilled();
    const object = this.objects.get(key);
    if (!object) throw new Error(`no such object: ${key}`);
    await writeFile(path, object.body);
  }

  async readManifest(file: ColumnFile): Promise<Manifest | undefined> {
    const key = manifestKey(file);
    const object = this.objects.get(key);
    try {
      return object && parseManifest(Buffer.from(object.body).toString(), key);
    } catch (error) {
      if (error instanceof ManifestError) return undefined;
      throw error;
    }
  }

  async putFile(file: ColumnFile, path: string): Promise<string> {
    return this.put(columnKey(file), await readFile(path));
  }

  async putStates(file: ColumnFile, path: string): Promise<string> {
    return this.put(statesKey(file), await readFile(path));
  }

  async putManifest(file: ColumnFile, manifest: Manifest): Promise<void> {
    this.put(manifestKey(file), Buffer.from(JSON.stringify(manifest)));
  }
}

function etagOf(body: Uint8Array): string {
  return createHash('md5').update(body).digest('hex');
}
