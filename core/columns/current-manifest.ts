import type { Manifest } from './manifest.ts';
import { type ColumnFile, columnKey } from './objects.ts';
import type { ColumnStore } from './ports.ts';

/** The manifest of a file, if it describes the one in the lake: whoever was killed has written a file, but no manifest. */
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
