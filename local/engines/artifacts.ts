import { execFile, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { EngineName } from './engine.ts';
import { findMaven, type Jdk } from './jdk.ts';

const run = promisify(execFile);

/** For each engine the folder that holds its jars (for OpenSearch also its compiled launcher, in `launcher/`). */
export type EngineJars = Readonly<Record<EngineName, string>>;

/** How many jars pom.xml brings for each engine: the end of the progress bar, and a check of the download. */
export const JAR_COUNTS: Readonly<Record<EngineName, number>> = { kafka: 46, opensearch: 111, s3: 152 };

/** How far the download of one engine is, in jars. */
export interface DownloadProgress {
  readonly engine: EngineName;
  readonly done: number;
  readonly total: number;
}

export interface ArtifactOptions {
  /** Where the jars are kept between runs, e.g. `.local/engines`; made if absent. */
  readonly folder: string;
  readonly jdk: Jdk;
  /** Called only while something is being downloaded; `done` never falls and ends at `total`. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Ends a running download; `ensureArtifacts` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Maven could not fetch an engine's jars. */
export class ArtifactDownloadError extends Error {
  override readonly name = 'ArtifactDownloadError';
  readonly engine: EngineName;

  constructor(engine: EngineName, what: string, mavenOutput: readonly string[], cause?: unknown) {
    const told = mavenOutput.filter((line) => line.startsWith('[ERROR]') && line.trim() !== '[ERROR]');
    const tail = (told.length > 0 ? told.slice(0, 10) : mavenOutput.slice(-20)).map((line) => `\n  ${line}`);
    super(
      `The jars of ${engine} could not be downloaded: ${what}. Maven says:${tail.join('')}\n` +
        'Check the network (a proxy or mirror is set in ~/.m2/settings.xml) and start again: ' +
        'what has arrived is not downloaded twice.',
      { cause },
    );
    this.engine = engine;
  }
}

/** The launcher does not compile with this JDK. */
export class LauncherBuildError extends Error {
  override readonly name = 'LauncherBuildError';
}

const POM = fileURLToPath(new URL('pom.xml', import.meta.url));
const LAUNCHER = fileURLToPath(new URL('OpenSearchNode.java', import.meta.url));
const ENGINES: readonly EngineName[] = ['kafka', 'opensearch', 's3'];
const FOLDER_OF_A_VERSION = /^[0-9a-f]{16}$/;
const FOLDER_OF_A_DOWNLOAD = /^download-/;
/** No download takes this long: whoever began it was killed. */
const ABANDONED_AFTER_MS = 3_600_000;

/**
 * Makes sure that every engine's jars are there and returns their folders.
 *
 * They lie in `<folder>/<hash of pom.xml and launcher>/<engine>`. Such a folder is made by one rename, so it is
 * whole or absent, whatever was killed and however many processes do this at once. Maven is needed only when
 * something is missing; the folders of older versions are removed once the present one is complete.
 *
 * @throws {ArtifactDownloadError} {MavenNotFoundError} {LauncherBuildError}
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
      throw new ArtifactDownloadError(engine, `${count} jars came instead of ${JAR_COUNTS[engine]}`, []);
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
  const child = spawn(
    maven,
    [
      '--batch-mode',
      '--file',
      POM,
      '--activate-profiles',
      engine,
      // Resumable downloads share their partial files: two Mavens at once would wait for, or spoil, each other's.
      '-Daether.connector.resumeDownloads=false',
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${into}`,
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Maven runs on the JDK that was found to be good, not on whatever the PATH has.
      env: { ...process.env, JAVA_HOME: jdk.home },
      ...(signal && { signal }),
    },
  );
  const output: string[] = [];
  let done = 0;
  let resolving = true;
  const onLine = (line: string): void => {
    output.push(line);
    if (startsPlugin(line)) resolving = false;
    if (resolving && isDownloadedJar(line) && done < total - 1) onProgress?.({ engine, done: ++done, total });
  };
  createInterface({ input: child.stdout }).on('line', onLine);
  createInterface({ input: child.stderr }).on('line', onLine);
  let code: unknown;
  try {
    [code] = await once(child, 'close');
  } catch (error) {
    signal?.throwIfAborted();
    throw new ArtifactDownloadError(engine, `${maven} did not run`, output, error);
  }
  signal?.throwIfAborted();
  if (code !== 0)
    throw new ArtifactDownloadError(engine, `Maven ended with exit code ${String(code)}`, output);
  onProgress?.({ engine, done: total, total });
}

/**
 * Whether this line of Maven's output reports that a jar of an engine has arrived (Maven fetches jars of its own
 * plugin too).
 */
export function isDownloadedJar(line: string): boolean {
  return /Downloaded from .+\.jar \(/.test(line) && !line.includes('/maven-dependency-plugin/');
}

/** Maven resolves the project's dependencies first; the plugin's own come after the line that announces it. */
function startsPlugin(line: string): boolean {
  return /^\[INFO\] --- .*dependency.*copy-dependencies/.test(line);
}

async function compileLauncher(jars: string, { jdk, signal }: ArtifactOptions): Promise<void> {
  // Compiled once: run from source it would cost every start 1.6 s more.
  const javac = join(jdk.home, 'bin', 'javac');
  const target = join(jars, 'launcher');
  try {
    // For the oldest Java that OpenSearch takes, so that a change of JDK needs no second build.
    await run(javac, ['--release', '21', '-cp', join(jars, '*'), '-d', target, LAUNCHER], {
      ...(signal && { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    const told = (error as { stderr?: string }).stderr ?? '';
    throw new LauncherBuildError(`${javac} could not compile ${LAUNCHER}:\n${told}`, { cause: error });
  }
}

async function moveIntoPlace(download: string, target: string): Promise<void> {
  try {
    await rename(download, target);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // Another process was faster; its folder is as good as ours.
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

async function removeOldVersions(folder: string, current: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const outdated = FOLDER_OF_A_VERSION.test(name) && name !== current;
    if (outdated || (FOLDER_OF_A_DOWNLOAD.test(name) && (await isAbandoned(path)))) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && Date.now() - info.mtimeMs > ABANDONED_AFTER_MS;
}
