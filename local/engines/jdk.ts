import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir, readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A Java development kit that is new enough. */
export interface Jdk {
  readonly home: string;
  /** Path of its `java`. */
  readonly java: string;
  /** 21, 25, … */
  readonly major: number;
}

/** A Java installation, fit or not. */
export interface JavaInstallation {
  readonly home: string;
  /** How it was found: "JAVA_HOME", "the java on the PATH", "/usr/lib/jvm". */
  readonly foundIn: string;
  /** `undefined`: it is broken, or did not say. */
  readonly major: number | undefined;
  /** A runtime without the compiler cannot build the OpenSearch launcher. */
  readonly hasCompiler: boolean;
}

/** No installation is new enough and complete. */
export class JdkNotFoundError extends Error {
  override readonly name = 'JdkNotFoundError';
  readonly found: readonly JavaInstallation[];

  constructor(minimumMajor: number, found: readonly JavaInstallation[]) {
    const list = found.map((java) => `\n  ${java.home} (${java.foundIn}): ${whyUnfit(java, minimumMajor)}`);
    super(
      `Kafka, OpenSearch and the S3 server need a JDK ${minimumMajor} or newer; ` +
        (found.length === 0 ? 'no Java was found.' : `none was found among:${list.join('')}\n`) +
        ` Install one (Debian, Ubuntu: apt install openjdk-${minimumMajor}-jdk-headless; ` +
        `macOS: brew install openjdk@${minimumMajor}; or https://adoptium.net), ` +
        'or set JAVA_HOME to the folder of one that is there.',
    );
    this.found = found;
  }
}

/** Maven is needed (for the first download) and is not there. */
export class MavenNotFoundError extends Error {
  override readonly name = 'MavenNotFoundError';

  constructor() {
    super(
      'The engines have to be downloaded and Maven (mvn) was not found on the PATH, in MAVEN_HOME or in SDKMAN. ' +
        'Install it (Debian, Ubuntu: apt install maven; macOS: brew install maven; or https://maven.apache.org).',
    );
  }
}

/**
 * A JDK that is new enough: JAVA_HOME, the java on the PATH, then the usual folders of Linux, macOS, Homebrew
 * and SDKMAN.
 *
 * @throws {JdkNotFoundError} with what was found instead
 */
export async function findJdk(minimumMajor = 21): Promise<Jdk> {
  const found: JavaInstallation[] = [];
  for (const look of [fromJavaHome, fromPath, fromUsualFolders]) {
    found.push(...(await look()));
    const jdk = chooseJdk(found, minimumMajor);
    if (jdk) return jdk;
  }
  throw new JdkNotFoundError(minimumMajor, uniqueByHome(found));
}

/**
 * The first installation that somebody pointed at (JAVA_HOME, PATH), else of the others the oldest that is new
 * enough: the engines are tried with the long-term releases, not with tomorrow's Java.
 */
export function chooseJdk(found: readonly JavaInstallation[], minimumMajor: number): Jdk | undefined {
  const fit = found.filter((java) => whyUnfit(java, minimumMajor) === undefined);
  const pointedAt = fit.find((java) => java.foundIn === JAVA_HOME || java.foundIn === PATH);
  const chosen = pointedAt ?? fit.toSorted((a, b) => (a.major ?? 0) - (b.major ?? 0))[0];
  if (chosen?.major === undefined) return undefined;
  return { home: chosen.home, java: join(chosen.home, 'bin', 'java'), major: chosen.major };
}

/** 25 of `25.0.3`, 8 of `1.8.0_412`, 26 of `26-ea`; `undefined` of anything else. */
export function parseJavaMajor(version: string): number | undefined {
  const [, first, second] = /^(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  if (first === undefined) return undefined;
  return Number(first === '1' && second !== undefined ? second : first);
}

/**
 * The path of `mvn`.
 *
 * @throws {MavenNotFoundError}
 */
export async function findMaven(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const folders = [
    ...(environment.PATH ?? '').split(delimiter),
    ...[environment.MAVEN_HOME, environment.M2_HOME].flatMap((home) => (home ? [join(home, 'bin')] : [])),
    join(environment.HOME ?? homedir(), '.sdkman/candidates/maven/current/bin'),
  ];
  const maven = await firstExecutable('mvn', folders);
  if (maven === undefined) throw new MavenNotFoundError();
  return maven;
}

const JAVA_HOME = 'JAVA_HOME';
const PATH = 'the java on the PATH';

function whyUnfit(java: JavaInstallation, minimumMajor: number): string | undefined {
  if (java.major === undefined) return 'not a working Java';
  if (java.major < minimumMajor) return `Java ${java.major}, too old`;
  if (!java.hasCompiler) return `Java ${java.major}, but only its runtime: the compiler (javac) is missing`;
  return undefined;
}

async function fromJavaHome(): Promise<JavaInstallation[]> {
  const home = process.env.JAVA_HOME;
  return home ? [await inspect(home, JAVA_HOME)] : [];
}

async function fromPath(): Promise<JavaInstallation[]> {
  const java = await firstExecutable('java', (process.env.PATH ?? '').split(delimiter));
  if (java === undefined) return [];
  const home = dirname(dirname(await realpath(java)));
  if (await exists(join(home, 'release'))) return [await inspect(home, PATH)];
  // A stub that starts some other java (macOS, jenv, asdf): only that one knows where it lives.
  const told = await askJava(java);
  return told?.home ? [await inspect(told.home, PATH)] : [];
}

async function fromUsualFolders(): Promise<JavaInstallation[]> {
  const places: [folder: string, homeInside: string][] = [
    ['/usr/lib/jvm', ''],
    ['/usr/java', ''],
    ['/opt/java', ''],
    ['/Library/Java/JavaVirtualMachines', 'Contents/Home'],
    [join(homedir(), 'Library/Java/JavaVirtualMachines'), 'Contents/Home'],
    ['/opt/homebrew/opt', 'libexec/openjdk.jdk/Contents/Home'],
    ['/usr/local/opt', 'libexec/openjdk.jdk/Contents/Home'],
    [join(homedir(), '.sdkman/candidates/java'), ''],
    [join(homedir(), '.jdks'), ''],
  ];
  const installations: JavaInstallation[] = [];
  for (const [folder, homeInside] of places) {
    for (const name of (await readdir(folder).catch(() => [])).toSorted()) {
      const home = join(folder, name, homeInside);
      if (await isExecutable(join(home, 'bin', 'java'))) {
        // The folders are full of links to each other (default-java, current).
        installations.push(await inspect(await realpath(home), folder));
      }
    }
  }
  return uniqueByHome(installations);
}

async function inspect(home: string, foundIn: string): Promise<JavaInstallation> {
  const java = join(home, 'bin', 'java');
  if (!(await isExecutable(java))) return { home, foundIn, major: undefined, hasCompiler: false };
  // Nearly every JDK says its version in this file; asking java itself costs the start of a JVM.
  const release = await readFile(join(home, 'release'), 'utf8').catch(() => '');
  const version = /^JAVA_VERSION="(.+)"/m.exec(release)?.[1] ?? (await askJava(java))?.version;
  const hasCompiler = await isExecutable(join(home, 'bin', 'javac'));
  return { home, foundIn, major: version === undefined ? undefined : parseJavaMajor(version), hasCompiler };
}

async function askJava(
  java: string,
): Promise<{ home: string | undefined; version: string | undefined } | undefined> {
  try {
    const { stderr } = await run(java, ['-XshowSettings:properties', '-version'], { timeout: 20_000 });
    return {
      home: /^\s*java\.home = (.+)$/m.exec(stderr)?.[1],
      version: /^\s*java\.version = (.+)$/m.exec(stderr)?.[1],
    };
  } catch {
    // Whatever is wrong with it, it is no Java to use: the error of findJdk lists it as not working.
    return undefined;
  }
}

function uniqueByHome(installations: readonly JavaInstallation[]): JavaInstallation[] {
  return [...new Map(installations.toReversed().map((java) => [java.home, java])).values()].toReversed();
}

async function firstExecutable(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    if (folder !== '' && (await isExecutable(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
