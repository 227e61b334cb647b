import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type EngineName = 'kafka' | 'opensearch' | 's3';

/** In the order in which they should be fetched: OpenSearch takes longest to start. */
export const ENGINE_NAMES: readonly EngineName[] = ['opensearch', 'kafka', 's3'];

/** A jar that an engine needs, with its size and hash. */
export interface ListedJar {
  readonly groupId: string;
  readonly artifactId: string;
  readonly version: string;
  readonly classifier: string | undefined;
  readonly fileName: string;
  readonly bytes: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** A folder of jars is not what the list says. */
export class JarMismatchError extends Error {
  override readonly name = 'JarMismatchError';

  constructor(folder: string, list: string, problems: readonly string[]) {
    super(
      `The jars in ${folder} are not those that ${list} lists, so they will not be run:` +
        `${problems.map((problem) => `\n  ${problem}`).join('')}\n` +
        'If you did not change them, somebody else or a disk fault did: find out, delete that folder, and start again.',
    );
  }
}

/** The folder of the lists, `<engine>.txt`, one jar to a line: SHA-256, bytes, group:artifact:version[:classifier]. */
const JAR_LISTS = fileURLToPath(new URL('jars', import.meta.url));

export function jarListFile(engine: EngineName, lists = JAR_LISTS): string {
  return join(lists, `${engine}.txt`);
}

/** @throws Error naming the first line that is not `<sha256> <bytes> <group>:<artifact>:<version>[:<classifier>]` */
export async function readJarList(listFile: string): Promise<ListedJar[]> {
  return (await readFile(listFile, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, sha256, bytes, groupId, artifactId, version, classifier] = LINE.exec(line) ?? [];
      if (!sha256 || !groupId || !artifactId || !version) {
        throw new Error(`${listFile}: "${line}" does not list a jar.`);
      }
      const fileName = `${[artifactId, version, ...(classifier ? [classifier] : [])].join('-')}.jar`;
      return { groupId, artifactId, version, classifier, fileName, bytes: Number(bytes), sha256 };
    });
}

const LINE = /^([0-9a-f]{64}) +(\d+) +([\w.-]+):([\w.-]+):([\w.-]+)(?::([\w.-]+))?$/;

export function totalBytes(jars: readonly ListedJar[]): number {
  return jars.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Makes sure that a folder holds the listed jars, byte for byte, and no others: an engine runs every jar in its folder.
 * @throws JarMismatchError
 */
export async function checkJars(folder: string, listFile: string): Promise<void> {
  const listed = new Map((await readJarList(listFile)).map((jar) => [jar.fileName, jar]));
  const there = (await readdir(folder)).filter((file) => file.endsWith('.jar'));
  const problems = there.filter((file) => !listed.has(file)).map((file) => `${file} is not listed`);
  for (const { fileName, sha256 } of listed.values()) {
    if (!there.includes(fileName)) {
      problems.push(`${fileName} is missing`);
      continue;
    }
    const found = hash('sha256', await readFile(join(folder, fileName)));
    if (found !== sha256) problems.push(`${fileName} has the SHA-256 ${found} instead of ${sha256}`);
  }
  if (problems.length > 0) throw new JarMismatchError(folder, listFile, problems);
}
