import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'crypto-market-columns-';
/** Longer than a Lambda may run. */
const ABANDONED_MS = 20 * 60_000;

/**
 * Does work in a temporary folder, which is deleted afterwards. First deletes those of killed runs: the disk of a Lambda
 * outlives a run that ran out of time.
 */
export async function withWorkFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  for (const name of await readdir(tmpdir())) {
    if (name.startsWith(PREFIX)) await removeIfAbandoned(join(tmpdir(), name));
  }
  const folder = await mkdtemp(join(tmpdir(), PREFIX));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeIfAbandoned(path: string): Promise<void> {
  const { mtimeMs = Date.now() } = await stat(path).catch(() => ({ mtimeMs: undefined }));
  if (Date.now() - mtimeMs < ABANDONED_MS) return;
  await rm(path, { recursive: true, force: true }).catch(() => {}); // somebody else's
}
