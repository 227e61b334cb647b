import { constants } from 'node:fs';
import { access, readdir, readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** A Java development kit that can run the engines. */
export interface Jdk {
  readonly home: string;
  /** Path of its `java`. */
  readonly java: string;
  /** 21, 25, … */
  readonly major: number;
}

/** A Java installation, suitable or not. */
export interface JavaInstallation {
  readonly home: string;
  /** Where we found it: "JAVA_HOME", "the java on the PATH", "/usr/lib/jvm". */
  readonly foundIn: string;
  /** `undefined` if it is broken or reports no version. */
  readonly major: number | undefined;
  /** Needed to build the OpenSearch launcher. */
  readonly hasCompiler: boolean;
}

/** No installation is suitable. */
export class JdkNotFoundError extends Error {
  override readonly name = 'JdkNotFoundError';

  constructor(minimumMajor: number, found: readonly JavaInstallation[]) {
    const list = found.map(
      (java) => `\n  ${java.home} (${java.foundIn}): ${whyUnsuitable(java, minimumMajor)}`,
    );
    super(
      `A JDK, version ${minimumMajor} or newer, to run Kafka, OpenSearch and the S3 server: ` +
        (found.length === 0 ? 'no Java was found.' : `found only:${list.join('')}`) +
        installHints({
          apt: `sudo apt install openjdk-${minimumMajor}-jdk-headless`,
          brew: `brew install openjdk@${minimumMajor}`,
          winget: `winget install EclipseAdoptium.Temurin.${minimumMajor}.JDK`,
          otherwise:
            'https://adoptium.net (Debian 12 has none new enough), or set JAVA_HOME to the folder of a JDK',
        }),
    );
  }
}

/** Maven is needed for the first download but not installed. */
export class MavenNotFoundError extends Error {
  override readonly name = 'MavenNotFoundError';

  constructor() {
    super(
      'Maven (mvn), to download the engines once: it is not on the PATH, in MAVEN_HOME or in SDKMAN.' +
        installHints({
          apt: 'sudo apt install maven',
          brew: 'brew install maven',
          winget: 'not in winget',
          otherwise: 'https://maven.apache.org/download.cgi',
        }),
    );
  }
}

function installHints(commands: Record<'apt' | 'brew' | 'winget' | 'otherwise', string>): string {
  return Object.entries(commands)
    .map(([tool, command]) => `\n  ${`${tool}:`.padEnd(11)}${command}`)
    .join('');
}

/**
 * Looks for a JDK in JAVA_HOME, on the PATH, then in the usual folders of Linux, macOS, Homebrew and SDKMAN.
 *
 * @throws {JdkNotFoundError} with the unsuitable ones found
 */
export async function findJdk(minimumMajor = 21): Promise<Jdk> {
  const found = new Map<string, JavaInstallation>();
  for (const look of [configured, inUsualFolders]) {
    for (const place of await look()) {
      const java = await inspect(place);
      if (!found.has(java.home)) found.set(java.home, java);
    }
    const jdk = chooseJdk([...found.values()], minimumMajor);
    if (jdk) return jdk;
  }
  throw new JdkNotFoundError(minimumMajor, [...found.values()]);
}

/**
 * The installation in JAVA_HOME or on the PATH if suitable, else the oldest suitable one: the engines are tested with
 * long-term releases, not with the newest Java.
 */
export function chooseJdk(found: readonly JavaInstallation[], minimumMajor: number): Jdk | undefined {
  const suitable = found.filter((java) => whyUnsuitable(java, minimumMajor) === undefined);
  const configured = suitable.find((java) => java.foundIn === JAVA_HOME || java.foundIn === PATH);
  const chosen = configured ?? suitable.toSorted((a, b) => (a.major ?? 0) - (b.major ?? 0))[0];
  if (chosen?.major === undefined) return undefined;
  return { home: chosen.home, java: join(chosen.home, 'bin', 'java'), major: chosen.major };
}

/** `25.0.3` → 25, `1.8.0_412` → 8, `26-ea` → 26; `undefined` for anything else. */
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

function whyUnsuitable(java: JavaInstallation, minimumMajor: number): string | undefined {
  if (java.major === undefined) return 'not a working Java';
  if (java.major < minimumMajor) return `Java ${java.major}, too old`;
  if (!java.hasCompiler) return `Java ${java.major} without the compiler (javac)`;
  return undefined;
}

type Home = [home: string, foundIn: string];

async function configured(): Promise<Home[]> {
  const java = await firstExecutable('java', (process.env.PATH ?? '').split(delimiter));
  const homes: [string | undefined, string][] = [
    [process.env.JAVA_HOME, JAVA_HOME],
    // A stub that starts another java (macOS, jenv, asdf) has no release file; the usual folders hold that one.
    [java && dirname(dirname(await realpath(java))), PATH],
  ];
  return homes.flatMap(([home, foundIn]): Home[] => (home ? [[home, foundIn]] : []));
}

async function inUsualFolders(): Promise<Home[]> {
  const places: [folder: string, homeInside: string][] = [
    ['/usr/lib/jvm', ''],
    ['/usr/java', ''],
    ['/opt/java', ''],
    ['/Library/Java/JavaVirtualMachines', 'Contents/Home'],
    [join(homedir(), 'Library/Java/JavaVirtualMachines'), 'Contents/Home'],
    ['/opt/homebrew/opt', 'libexec/openjdk.jdk/Contents/Home'],
    ['/usr/local/opt', 'libexec/openjdk.jdk/Contents/Home'],
    [join(homedir(), '.sdkman/candidates/java'), ''],
    [join(homedir(), '.asdf/installs/java'), ''],
    [join(homedir(), '.local/share/mise/installs/java'), ''],
    [join(homedir(), '.jdks'), ''],
  ];
  const homes: Home[] = [];
  for (const [folder, homeInside] of places) {
    for (const name of (await readdir(folder).catch(() => [])).toSorted()) {
      const home = join(folder, name, homeInside);
      // These folders contain links to each other (default-java, current).
      if (await isExecutable(join(home, 'bin', 'java'))) homes.push([await realpath(home), folder]);
    }
  }
  return homes;
}

async function inspect([home, foundIn]: Home): Promise<JavaInstallation> {
  // Every JDK has its version in this file; asking java would mean starting a JVM.
  const release = await readFile(join(home, 'release'), 'utf8').catch(() => '');
  const works = await isExecutable(join(home, 'bin', 'java'));
  const version = works ? /^JAVA_VERSION="(.+)"/m.exec(release)?.[1] : undefined;
  const hasCompiler = await isExecutable(join(home, 'bin', 'javac'));
  return { home, foundIn, major: version === undefined ? undefined : parseJavaMajor(version), hasCompiler };
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
