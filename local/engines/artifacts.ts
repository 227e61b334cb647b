import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DAY_MS, HOUR_MS } from '../../core/market/time.ts';
import {
  checkJars,
  ENGINE_NAMES,
  type EngineName,
  jarListFile,
  type ListedJar,
  readJarList,
  totalBytes,
} from './jar-list.ts';
import type { Jdk } from './jdk.ts';
import { downloadJars } from './maven.ts';

const run = promisify(execFile);

/** The folder of each engine's jars; OpenSearch's also holds its compiled launcher, in `launcher/`. */
export type EngineJars = Readonly<Record<EngineName, string>>;

/** How much of a download has arrived, all engines together. */
export interface DownloadProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface ArtifactOptions {
  /** Where the jars are kept between runs, e.g. `.local/engines`; created if absent. */
  readonly folder: string;
  readonly jdk: Jdk;
  /** The folder with the list of each engine's jars. @default the committed lists */
  readonly lists?: string;
  /** Called only during a download; `doneBytes` never decreases and ends at `totalBytes`. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Cancels a download, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface Artifacts {
  readonly jars: EngineJars;
  /** Resolves when an engine's jars are there and checked, which may be before those of others. */
  readonly ready: Readonly<Record<EngineName, Promise<void>>>;
}

const LAUNCHER = fileURLToPath(new URL('OpenSearchNode.java', import.meta.url));
const VERSION_FOLDER = /^(jars-)?[0-9a-f]{16}$/;
const DOWNLOAD_FOLDER = /^download-/;
/** No download takes this long, so its process must have been killed. */
const ABANDONED_AFTER_MS = HOUR_MS;
/** Until then another branch or checkout may still use them. */
const OUTDATED_AFTER_MS = DAY_MS;
const ARRIVAL_CHECK_MS = 100;

/**
 * Downloads the engines' jars if they are missing, and returns their folders.
 * @throws MavenNotFoundError, ArtifactDownloadError, JarMismatchError
 */
export async function ensureArtifacts(options: ArtifactOptions): Promise<EngineJars> {
  const { jars, ready } = await fetchArtifacts(options);
  await Promise.all(Object.values(ready));
  return jars;
}

/** Whether the jars of some engine have to be downloaded. */
export async function needsDownload(folder: string): Promise<boolean> {
  const home = await homeOf({ folder });
  return !ENGINE_NAMES.every((engine) => existsSync(join(home, engine)));
}

/**
 * Begins to download the engines' jars that are missing, and checks those that are there.
 *
 * The jars are in `<folder>/jars-<hash of their lists and the launcher>/<engine>`. Such a folder is created by one
 * rename after its check, so it is complete or absent, even after a kill or with several processes at once. Maven is
 * needed only for a download.
 */
export async function fetchArtifacts(options: ArtifactOptions): Promise<Artifacts> {
  const home = await homeOf(options);
  const jars = byEngine((engine) => join(home, engine));
  await mkdir(home, { recursive: true });
  await utimes(home, new Date(), new Date());
  await removeOldVersions(options.folder);
  const present = new Set(await readdir(home));
  const absent = ENGINE_NAMES.filter((engine) => !present.has(engine));
  const arriving = absent.length > 0 ? await beginDownload(absent, jars, options) : {};
  const ready = byEngine(
    (engine) => arriving[engine] ?? checkJars(jars[engine], jarListFile(engine, options.lists)),
  );
  // Callers await the engines that they need; a failure of another engine must not end the process.
  for (const promise of Object.values(ready)) promise.catch(() => {});
  return { jars, ready };
}

function byEngine<T>(make: (engine: EngineName) => T): Record<EngineName, T> {
  const entries = ENGINE_NAMES.map((engine) => [engine, make(engine)]);
  return Object.fromEntries(entries) as Record<EngineName, T>;
}

/** Named by a hash of everything that determines its content. */
async function homeOf({ folder, lists }: Pick<ArtifactOptions, 'folder' | 'lists'>): Promise<string> {
  const version = createHash('sha256');
  for (const file of [...ENGINE_NAMES.map((engine) => jarListFile(engine, lists)), LAUNCHER]) {
    version.update(await readFile(file));
  }
  return resolve(folder, `jars-${version.digest('hex').slice(0, 16)}`);
}

/** Fetches all absent engines at once. Each promise resolves when that engine is in its place. */
async function beginDownload(
  absent: readonly EngineName[],
  jars: EngineJars,
  options: ArtifactOptions,
): Promise<Partial<Record<EngineName, Promise<void>>>> {
  const into = resolve(options.folder, `download-${randomUUID()}`);
  const lists = new Map<EngineName, ListedJar[]>();
  for (const engine of absent) {
    lists.set(engine, await readJarList(jarListFile(engine, options.lists)));
  }
  const progress = countBytes(lists, options.onProgress);
  const { jdk } = options;
  // If one engine fails, the rest of the download is not needed.
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  const maven = downloadJars({ jars: lists, into, jdk, signal, onJar: progress.arrived });

  const placed = [...lists].map(([engine, list]): [EngineName, Promise<void>] => {
    const place = async () => {
      const here = join(into, engine);
      await Promise.race([maven, untilArrived(here, list, maven)]);
      signal.throwIfAborted();
      await checkJars(here, jarListFile(engine, options.lists));
      if (engine === 'opensearch') await compileLauncher(here, jdk, signal);
      await moveIntoPlace(here, jars[engine]);
      progress.complete(engine);
    };
    return [
      engine,
      place().catch((error) => {
        failed.abort(error);
        throw error;
      }),
    ];
  });
  const all = [maven, ...placed.map(([, promise]) => promise)];
  void Promise.allSettled(all).then(() => rm(into, { recursive: true, force: true }));
  return Object.fromEntries(placed);
}

/** Resolves when all files have their full length, or Maven has ended. Maven itself reports only the end. */
async function untilArrived(folder: string, jars: readonly ListedJar[], maven: Promise<void>): Promise<void> {
  let ended = false;
  const end = () => {
    ended = true;
  };
  maven.then(end, end);
  while (!ended) {
    const sizes = await Promise.all(
      jars.map(({ fileName }) =>
        stat(join(folder, fileName)).then(
          ({ size }) => size,
          () => -1,
        ),
      ),
    );
    if (jars.every(({ bytes }, index) => sizes[index] === bytes)) return;
    await sleep(ARRIVAL_CHECK_MS);
  }
}

function countBytes(
  lists: ReadonlyMap<EngineName, readonly ListedJar[]>,
  onProgress: ArtifactOptions['onProgress'],
) {
  const total = totalBytes([...lists.values()].flat());
  // A jar that two engines need is downloaded once.
  const coming = new Map([...lists].map(([engine, jars]) => [engine, new Set(jars)]));
  const report = () => {
    const missing = totalBytes([...coming.values()].flatMap((jars) => [...jars]));
    onProgress?.({ doneBytes: total - missing, totalBytes: total });
  };
  report();
  return {
    arrived(fileName: string) {
      for (const jars of coming.values()) {
        for (const jar of jars) if (jar.fileName === fileName) jars.delete(jar);
      }
      report();
    },
    complete(engine: EngineName) {
      coming.get(engine)?.clear();
      report();
    },
  };
}

/** Into a jar, because Java archives no classes from folders. */
async function compileLauncher(jars: string, jdk: Jdk, signal: AbortSignal): Promise<void> {
  const launcher = join(jars, 'launcher');
  const tool = (name: string, args: string[]) => run(join(jdk.home, 'bin', name), args, { signal });
  try {
    // Running it from source would add 1.6 s to every start. For the oldest Java that OpenSearch supports, so that
    // another JDK needs no rebuild.
    const options = ['-J-XX:TieredStopAtLevel=1', '-proc:none', '--release', '21', '-cp', join(jars, '*')];
    await tool('javac', [...options, '-d', join(launcher, 'classes'), LAUNCHER]);
    await tool('jar', [
      '--create',
      '--file',
      join(launcher, 'launcher.jar'),
      '-C',
      join(launcher, 'classes'),
      '.',
    ]);
  } catch (error) {
    signal.throwIfAborted();
    const output = (error as { stderr?: string }).stderr ?? '';
    throw new Error(`${LAUNCHER} could not be compiled with the JDK in ${jdk.home}:\n${output}`, {
      cause: error,
    });
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

async function removeOldVersions(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const outdated = VERSION_FOLDER.test(name) && (await isOlderThan(OUTDATED_AFTER_MS, path));
    if (outdated || (DOWNLOAD_FOLDER.test(name) && (await isOlderThan(ABANDONED_AFTER_MS, path)))) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function isOlderThan(ageMs: number, path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && Date.now() - info.mtimeMs > ageMs;
}
