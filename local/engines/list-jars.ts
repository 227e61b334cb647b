import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ENGINE_NAMES, type EngineName, jarListFile } from './jar-list.ts';
import { findJdk, findMaven } from './jdk.ts';

/*
 * Rewrites jars/<engine>.txt from pom.xml: npx node local/engines/list-jars.ts. For changing versions. It trusts
 * what it downloads, so review the diff before you commit it.
 */

const POM = fileURLToPath(new URL('pom.xml', import.meta.url));

async function listJars(engine: EngineName): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), `jars-of-${engine}-`));
  try {
    await promisify(execFile)(
      await findMaven(),
      [
        ...['--batch-mode', '--strict-checksums', '--file', POM, '--activate-profiles', engine],
        ...['dependency:copy-dependencies', '-DincludeScope=runtime'],
        ...['-Dmdep.useRepositoryLayout=true', `-DoutputDirectory=${folder}`],
      ],
      { env: { ...process.env, JAVA_HOME: (await findJdk()).home }, maxBuffer: 64 * 1024 * 1024 },
    );
    return globSync('**/*.jar', { cwd: folder })
      .toSorted()
      .map((path) => lineOf(path, join(folder, path)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param path org/apache/kafka/kafka-clients/4.1.1/kafka-clients-4.1.1.jar */
function lineOf(path: string, file: string): string {
  const folders = path.split(sep);
  const [artifactId, version, fileName] = folders.splice(-3) as [string, string, string];
  const classifier = fileName.slice(`${artifactId}-${version}-`.length, -'.jar'.length);
  const coordinates = [folders.join('.'), artifactId, version, ...(classifier ? [classifier] : [])].join(':');
  const content = readFileSync(file);
  return `${hash('sha256', content)} ${String(content.length).padStart(8)} ${coordinates}\n`;
}

for (const engine of ENGINE_NAMES) writeFileSync(jarListFile(engine), (await listJars(engine)).join(''));
