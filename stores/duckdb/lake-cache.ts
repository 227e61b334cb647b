import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A piece of a file that is written. */
export interface Piece {
  /** Where it begins. */
  offset: number;
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Somebody else's query may still be reading what was used so recently. */
const IN_USE_MS = 60 * 60_000;

/** A folder of files downloaded from the lake. What is in it can always be downloaded again. */
export class LakeCache {
  readonly folder: string;
  readonly #mostBytes: number;

  /** @param mostBytes what was not used for longest is deleted beyond it */
  constructor(folder: string, mostBytes: number) {
    this.folder = folder;
    this.#mostBytes = mostBytes;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Whether a file is there; it then counts as used. */
  async has(name: string): Promise<boolean> {
    const now = new Date();
    return utimes(this.path(name), now, now).then(
      () => true,
      () => false,
    );
  }

  /** The names in a folder of the cache that begin with this. */
  async namesIn(folder: string, start: string): Promise<string[]> {
    const names = await readdir(this.path(folder)).catch(() => []);
    return names.filter((name) => name.startsWith(start)).map((name) => `${folder}/${name}`);
  }

  async readIfThere(name: string): Promise<Buffer | undefined> {
    return (await this.has(name)) ? readFile(this.path(name)) : undefined;
  }

  /**
   * Writes a file whole or not at all. What lies between its pieces is a hole, which takes no space.
   * @param check may refuse it, by throwing; gets the SHA-256 of the pieces in hex
   */
  async write(
    name: string,
    pieces: readonly Piece[],
    check: (sha256: string) => void = () => {},
  ): Promise<void> {
    const path = this.path(name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const aside = `${path}.${randomUUID()}`;
    const file = await open(aside, 'wx', 0o600);
    try {
      const hash = createHash('sha256');
      for (const { offset, chunks } of pieces) {
        let at = offset;
        for await (const chunk of chunks) {
          hash.update(chunk);
          await file.write(chunk, 0, chunk.length, at);
          at += chunk.length;
        }
      }
      check(hash.digest('hex'));
      await file.close();
      await rename(aside, path);
    } catch (error) {
      await file.close().catch(() => {});
      await rm(aside, { force: true });
      throw error;
    }
  }

  async delete(name: string): Promise<void> {
    await rm(this.path(name), { force: true });
  }

  /** Deletes what was not used for longest, until the rest fits. */
  async prune(): Promise<void> {
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const found = await Promise.all(
      files.map(async (path) => {
        const { blocks, mtimeMs } = await stat(path).catch(() => ({ blocks: 0, mtimeMs: Date.now() }));
        return { path, bytes: blocks * BLOCK_BYTES, usedMs: mtimeMs };
      }),
    );
    let bytes = found.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of found.toSorted((a, b) => a.usedMs - b.usedMs)) {
      if (bytes <= this.#mostBytes || file.usedMs > Date.now() - IN_USE_MS) return;
      await rm(file.path, { force: true });
      bytes -= file.bytes;
    }
  }
}

/** Of `stat`, whatever the file system's own are. */
const BLOCK_BYTES = 512;
