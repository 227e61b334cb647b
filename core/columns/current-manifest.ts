import type { Manifest } from './manifest.ts';
import { type ColumnFile, columnKey } from './objects.ts';
import type { ColumnStore } from './ports.ts';

/** A file's manifest, if it describes the file that is in the lake. A killed run may have replaced the file but not the manifest. */
export async function currentManifest(
  store: Pick<ColumnStore, 'list' | 'readManifest'>,
  file: ColumnFile,
): Promise<Manifest | undefined> {
  const manifest = await store.readManifest(file);
  if (!manifest) return undefined;
  for await (const { key, etag } of store.list(columnKey(file))) {
    if (key === manifest.object && etag === manifest.etag) return manifest;
  }
  return undefined;
}
