import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findMaven, type Jdk } from '../../../local/engines/jdk.ts';

const run = promisify(execFile);
const POM = fileURLToPath(new URL('pom.xml', import.meta.url));

export interface SecureArtifacts {
  /** A folder of jars. */
  server: string;
  /** The unpacked plugin: jars and `config/`. */
  plugin: string;
}

/**
 * Downloads OpenSearch and its security plugin at the first use. They are kept beside the other engines' jars, under
 * the hash of the pom; the folder is created by one rename, so it is complete or absent.
 * @param folder of all engines' jars
 */
export async function secureArtifacts(folder: string, jdk: Jdk): Promise<SecureArtifacts> {
  const version = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
    .slice(0, 16);
  const target = join(folder, `secure-opensearch-${version}`);
  if (!existsSync(target)) {
    const into = join(folder, `download-secure-opensearch-${randomUUID()}`);
    await mkdir(into, { recursive: true });
    try {
      const options = ['--batch-mode', '--quiet', '--file', POM, `-Dinto=${into}`];
      await run(
        await findMaven(),
        [...options, '-Daether.connector.resumeDownloads=false', 'generate-resources'],
        {
          env: { ...process.env, JAVA_HOME: jdk.home },
        },
      );
      // Another process may have been faster; its folder is the same.
      if (!existsSync(target)) await rename(into, target);
    } finally {
      await rm(into, { recursive: true, force: true });
    }
  }
  return { server: join(target, 'server'), plugin: join(target, 'plugin') };
}
