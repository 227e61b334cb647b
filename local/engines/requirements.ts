import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { findJdk, findMaven, type Jdk, JdkNotFoundError, MavenNotFoundError } from './jdk.ts';

/** What this machine has; tests pass their own. */
export interface Machine {
  findJdk(): Promise<Jdk>;
  findMaven(): Promise<string>;
  freeDiskBytes(folder: string): Promise<number>;
  /** Of the machine, or of the container that this runs in. */
  memoryBytes(): number;
}

/** Everything that the engines need and this machine lacks. */
export class MissingRequirementsError extends Error {
  override readonly name = 'MissingRequirementsError';
  readonly missing: readonly string[];

  constructor(missing: readonly string[]) {
    const list = missing.map((each) => `\n\n${each.replaceAll(/^/gm, '  ').replace(/^ {2}/, '- ')}`);
    super(
      `The engines cannot start on this machine yet:${list.join('')}\n\n` +
        'With Docker or Podman you need neither a JDK nor Maven: "docker compose up --wait", then "npm start -- --compose".',
    );
    this.missing = missing;
  }
}

const GB = 1_000_000_000;
/** Jars in Maven's repository and in ours, and the data of some days. */
const DISK_WITH_DOWNLOAD_BYTES = 1.5 * GB;
const DISK_BYTES = 0.5 * GB;
/**
 * The heaps of OpenSearch, Kafka and the S3 server, Java's other memory, and Node. A machine sold as 4 GB has
 * this much.
 */
const MEMORY_BYTES = 3.5 * GB;

/**
 * Looks for all that the engines need before anything is downloaded or started.
 * @param folder where the jars and the data will be, e.g. `.local`
 * @param needsDownload whether Maven has to fetch jars
 * @throws MissingRequirementsError naming everything that is missing
 */
export async function checkRequirements(
  folder: string,
  needsDownload: boolean,
  machine: Machine = THIS_MACHINE,
): Promise<Jdk> {
  const missing: string[] = [];
  const jdk = await machine.findJdk().catch((error) => {
    if (!(error instanceof JdkNotFoundError)) throw error;
    missing.push(error.message);
  });
  if (needsDownload) {
    await machine.findMaven().catch((error) => {
      if (!(error instanceof MavenNotFoundError)) throw error;
      missing.push(error.message);
    });
  }
  const diskBytes = needsDownload ? DISK_WITH_DOWNLOAD_BYTES : DISK_BYTES;
  const freeBytes = await machine.freeDiskBytes(folder);
  if (freeBytes < diskBytes) {
    missing.push(
      `${gigabytes(diskBytes)} of free disk: ${resolve(folder)} has ${gigabytes(freeBytes)}. Free some, or name another folder with --folder.`,
    );
  }
  const memoryBytes = machine.memoryBytes();
  if (memoryBytes < MEMORY_BYTES) {
    missing.push(
      `${gigabytes(MEMORY_BYTES)} of memory: this machine, or the container, has ${gigabytes(memoryBytes)}.`,
    );
  }
  if (missing.length > 0 || !jdk) throw new MissingRequirementsError(missing);
  return jdk;
}

const gigabytes = (bytes: number) => `${(Math.floor(bytes / (GB / 10)) / 10).toFixed(1)} GB`;

const THIS_MACHINE: Machine = {
  findJdk,
  findMaven,
  async freeDiskBytes(folder) {
    // The folder may not exist yet.
    let existing = resolve(folder);
    while (!existsSync(existing)) existing = dirname(existing);
    const { bavail, bsize } = await statfs(existing);
    return bavail * bsize;
  },
  // Without a limit the second is 0, or larger than any machine.
  memoryBytes: () => Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
};
