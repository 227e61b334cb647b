import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HOUR_MS } from '../../core/market/time.ts';
import { findMaven, type Jdk } from './jdk.ts';

const run = promisify(execFile);

export type EngineName = 'kafka' | 'opensearch' | 's3';

/** The folder of each engine's jars; OpenSearch's also holds its compiled launcher, in `launcher/`. */
export type EngineJars = Readonly<Record<EngineName, string>>;

/** How many jars pom.xml lists for each engine, for the progress bar and to check the download. */
export const JAR_COUNTS: Readonly<Record<EngineName, number>> = { kafka: 46, opensearch: 111, s3: 152 };

/** Progress of one engine's download, in jars. */
export interface DownloadProgress {
  readonly engine: EngineName;
  readonly done: number;
  readonly total: number;
}

export interface ArtifactOptions {
  /** Where the jars are kept between runs, e.g. `.local/engines`; created if absent. */
  readonly folder: string;
  readonly jdk: Jdk;
  /** Called only during a download; `done` never decreases and ends at `total`. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Cancels a download; `ensureArtifacts` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Maven could not fetch an engine's jars. */
export class ArtifactDownloadError extends Error {
  override readonly name = 'ArtifactDownloadError';

  constructor(engine: EngineName, problem: string, mavenOutput: readonly string[], cause?: unknown) {
    const errors = mavenOutput.filter((line) => line.startsWith('[ERROR]') && line.trim() !== '[ERROR]');
    const quoted = (errors.length > 0 ? errors.slice(0, 10) : mavenOutput.slice(-20)).map(
      (line) => `\n  ${line}`,
    );
    super(
      `The jars of ${engine} could not be downloaded: ${problem}. Maven's output:${quoted.join('')}\n` +
        'Check the network (set a proxy or mirror in ~/.m2/settings.xml) and start again; ' +
        'finished downloads are kept.',
      { cause },
    );
  }
}

const POM = fileURLToPath(new URL('pom.xml', import.meta.url));
const LAUNCHER = fileURLToPath(new URL('OpenSearchNode.java', import.meta.url));
const ENGINES: readonly EngineName[] = ['kafka', 'opensearch', 's3'];
const VERSION_FOLDER = /^[0-9a-f]{16}$/;
const DOWNLOAD_FOLDER = /^download-/;
/** Far more than Maven prints. */
const OUTPUT_BYTES = 64 * 1024 * 1024;
/** No download takes this long, so its process must have been killed. */
const ABANDONED_AFTER_MS = HOUR_MS;

/**
 * Downloads the engines' jars if they are missing, and returns their folders.
 *
 * The jars are in `<folder>/<hash of pom.xml and launcher>/<engine>`. Such a folder is created by one rename, so it is
 * complete or absent, even after a kill or with several processes at once. Maven is needed only for a download.
 * Folders of older versions are removed once the current one is complete.
 *
 * @throws {ArtifactDownloadError} {MavenNotFoundError}
 */
export async function ensureArtifacts(options: ArtifactOptions): Promise<EngineJars> {
  const version = await versionHash();
  const home = resolve(options.folder, version);
  const jars: EngineJars = {
    kafka: join(home, 'kafka'),
    opensearch: join(home, 'opensearch'),
    s3: join(home, 's3'),
  };
  await mkdir(home, { recursive: true });
  const present = new Set(await readdir(home));
  for (const engine of ENGINES.filter((name) => !present.has(name))) {
    await fetchEngine(engine, jars[engine], options);
  }
  await removeOldVersions(options.folder, version);
  return jars;
}

async function versionHash(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [POM, LAUNCHER]) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

async function fetchEngine(engine: EngineName, target: string, options: ArtifactOptions): Promise<void> {
  const download = resolve(options.folder, `download-${engine}-${randomUUID()}`);
  try {
    await copyDependencies(engine, download, options);
    const count = (await readdir(download)).filter((file) => file.endsWith('.jar')).length;
    if (count !== JAR_COUNTS[engine]) {
      throw new ArtifactDownloadError(engine, `got ${count} jars instead of ${JAR_COUNTS[engine]}`, []);
    }
    if (engine === 'opensearch') await compileLauncher(download, options);
    await moveIntoPlace(download, target);
  } finally {
    await rm(download, { recursive: true, force: true });
  }
}

async function copyDependencies(
  engine: EngineName,
  into: string,
  { jdk, onProgress, signal }: ArtifactOptions,
): Promise<void> {
  const maven = await findMaven();
  signal?.throwIfAborted();
  const total = JAR_COUNTS[engine];
  onProgress?.({ engine, done: 0, total });
  const running = run(
    maven,
    [
      '--batch-mode',
      '--file',
      POM,
      '--activate-profiles',
      engine,
      // Resumable downloads share partial files, so two Mavens at once would block or corrupt each other.
      '-Daether.connector.resumeDownloads=false',
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${into}`,
    ],
    // The JDK that we checked, not the one on the PATH.
    { env: { ...process.env, JAVA_HOME: jdk.home }, maxBuffer: OUTPUT_BYTES, ...(signal && { signal }) },
  );
  let done = 0;
  let resolving = true;
  createInterface({ input: running.child.stdout as Readable }).on('line', (line) => {
    if (startsPlugin(line)) resolving = false;
    if (resolving && isDownloadedJar(line) && done < total - 1) onProgress?.({ engine, done: ++done, total });
  });
  try {
    await running;
  } catch (error) {
    signal?.throwIfAborted();
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    const problem = typeof code === 'number' ? `Maven ended with exit code ${code}` : `${maven} did not run`;
    throw new ArtifactDownloadError(engine, problem, `${stdout}${stderr}`.trimEnd().split('\n'), error);
  }
  onProgress?.({ engine, done: total, total });
}

/** Whether this line of Maven's output reports the download of an engine's jar, not of Maven's own plugin. */
export function isDownloadedJar(line: string): boolean {
  return /Downloaded from .+\.jar \(/.test(line) && !line.includes('/maven-dependency-plugin/');
}

/** Maven first resolves the engine's jars; the plugin's own follow the line that announces it. */
function startsPlugin(line: string): boolean {
  return /^\[INFO\] --- .*dependency.*copy-dependencies/.test(line);
}

async function compileLauncher(jars: string, { jdk, signal }: ArtifactOptions): Promise<void> {
  // Running it from source would add 1.6 s to every start.
  const javac = join(jdk.home, 'bin', 'javac');
  const target = join(jars, 'launcher');
  try {
    // For the oldest Java that OpenSearch supports, so that another JDK needs no rebuild.
    await run(javac, ['--release', '21', '-cp', join(jars, '*'), '-d', target, LAUNCHER], {
      ...(signal && { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    const output = (error as { stderr?: string }).stderr ?? '';
    throw new Error(`${javac} could not compile ${LAUNCHER}:\n${output}`, { cause: error });
  }
}

async function moveIntoPlace(download: string, target: string): Promise<void> {
  try {
    await rename(download, target);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // Another process was faster, and its folder is the same.
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

async function removeOldVersions(folder: string, current: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const outdated = VERSION_FOLDER.test(name) && name !== current;
    if (outdated || (DOWNLOAD_FOLDER.test(name) && (await isAbandoned(path)))) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && Date.now() - info.mtimeMs > ABANDONED_AFTER_MS;
}
