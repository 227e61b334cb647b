import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { type EngineName, type ListedJar, totalBytes } from './jar-list.ts';
import { findMaven, type Jdk } from './jdk.ts';

const run = promisify(execFile);

/** Maven could not fetch the engines' jars. */
export class ArtifactDownloadError extends Error {
  override readonly name = 'ArtifactDownloadError';

  constructor(problem: string, mavenOutput: readonly string[], cause?: unknown) {
    const errors = mavenOutput.filter((line) => line.startsWith('[ERROR]') && line.trim() !== '[ERROR]');
    const quoted = (errors.length > 0 ? errors.slice(0, 10) : mavenOutput.slice(-20)).map(
      (line) => `\n  ${line}`,
    );
    super(
      `The engines' jars could not be downloaded: ${problem}. Maven's output:${quoted.join('')}\n` +
        'Check the network (set a proxy or mirror in ~/.m2/settings.xml) and start again; ' +
        'finished downloads are kept.',
      { cause },
    );
  }
}

export interface MavenDownload {
  /** What to fetch, the engine that is needed first at the top. */
  readonly jars: ReadonlyMap<EngineName, readonly ListedJar[]>;
  /** Receives a folder of jars for each engine, and Maven's project. */
  readonly into: string;
  readonly jdk: Jdk;
  readonly signal?: AbortSignal | undefined;
  /** Called with the file name of each jar that has come over the network. */
  readonly onJar: (fileName: string) => void;
}

/** Far more than Maven prints. */
const OUTPUT_BYTES = 64 * 1024 * 1024;
/** Most of the time is spent waiting for one small answer after the other, so several are awaited at once. */
const DOWNLOADS_AT_ONCE = 8;
/** The overhead of a request, as the number of bytes that could be transferred in that time. */
const REQUEST_COST_BYTES = 150_000;

/**
 * Fetches jars with one run of Maven, which knows this machine's mirrors, proxies and passwords. Each jar is named, so
 * that Maven need not work out who depends on whom.
 * @throws MavenNotFoundError, ArtifactDownloadError, or the signal's reason
 */
export async function downloadJars({ jars, into, jdk, signal, onJar }: MavenDownload): Promise<void> {
  const maven = await findMaven();
  const project = await writeProject(jars, into);
  signal?.throwIfAborted();
  const running = run(
    maven,
    [
      '--batch-mode',
      // Fail on a checksum that does not match, of Maven's own plugin too.
      '--strict-checksums',
      '--threads',
      String(DOWNLOADS_AT_ONCE),
      '--file',
      project,
      // Resumable downloads share partial files, so two Mavens at once would block or corrupt each other.
      '-Daether.connector.resumeDownloads=false',
      'validate',
    ],
    {
      env: {
        ...process.env,
        // The JDK that we checked, not the one on the PATH.
        JAVA_HOME: jdk.home,
        // The run is too short for the optimising compiler to pay off.
        MAVEN_OPTS: `-XX:TieredStopAtLevel=1 ${process.env.MAVEN_OPTS ?? ''}`.trim(),
      },
      maxBuffer: OUTPUT_BYTES,
      ...(signal && { signal }),
    },
  );
  createInterface({ input: running.child.stdout as Readable }).on('line', (line) => {
    const fileName = downloadedJar(line);
    if (fileName !== undefined) onJar(fileName);
  });
  try {
    await running;
  } catch (error) {
    signal?.throwIfAborted();
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    const problem = typeof code === 'number' ? `Maven ended with exit code ${code}` : `${maven} did not run`;
    throw new ArtifactDownloadError(problem, `${stdout}${stderr}`.trimEnd().split('\n'), error);
  }
}

/** The file name of the jar that this line of Maven's output reports as downloaded. */
export function downloadedJar(line: string): string | undefined {
  return /Downloaded from \S+ \S*\/([^/\s]+\.jar) \(/.exec(line)?.[1];
}

/** A Maven project whose modules each copy a part of an engine's jars. Modules are what Maven works on side by side. */
async function writeProject(jars: MavenDownload['jars'], into: string): Promise<string> {
  const modules = [...jars].flatMap(([engine, list]) =>
    inEqualParts(list, DOWNLOADS_AT_ONCE).map((part, index) => ({
      name: `${engine}-${index + 1}`,
      pom: modulePom(`${engine}-${index + 1}`, engine, part),
    })),
  );
  const project = join(into, 'project');
  for (const { name, pom } of modules) {
    await mkdir(join(project, name), { recursive: true });
    await writeFile(join(project, name, 'pom.xml'), pom);
  }
  const names = modules.map(({ name }) => `<module>${name}</module>`).join('');
  await writeFile(join(project, 'pom.xml'), pom('engines', `<modules>${names}</modules>`));
  return project;
}

/** Parts that take about equally long to fetch. */
function inEqualParts(jars: readonly ListedJar[], count: number): ListedJar[][] {
  const parts = Array.from({ length: count }, () => ({ jars: [] as ListedJar[], cost: 0 }));
  for (const jar of jars.toSorted((a, b) => b.bytes - a.bytes)) {
    const lightest = parts.reduce((least, part) => (part.cost < least.cost ? part : least));
    lightest.jars.push(jar);
    lightest.cost = totalBytes(lightest.jars) + lightest.jars.length * REQUEST_COST_BYTES;
  }
  return parts.map((part) => part.jars).filter((part) => part.length > 0);
}

const artifactItem = ({ groupId, artifactId, version, classifier }: ListedJar) =>
  `<artifactItem><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version>${
    classifier === undefined ? '' : `<classifier>${classifier}</classifier>`
  }</artifactItem>\n`;

const modulePom = (name: string, engine: EngineName, jars: readonly ListedJar[]) =>
  pom(
    name,
    `<build><plugins><plugin>
<groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.8.1</version>
<executions><execution><id>copy</id><phase>validate</phase><goals><goal>copy</goal></goals><configuration>
<outputDirectory>../../${engine}</outputDirectory>
<artifactItems>
${jars.map(artifactItem).join('')}</artifactItems>
</configuration></execution></executions>
</plugin></plugins></build>`,
  );

const pom = (name: string, content: string) => `<project>
<modelVersion>4.0.0</modelVersion>
<groupId>crypto-market-insights</groupId><artifactId>${name}</artifactId><version>1</version><packaging>pom</packaging>
${content}
</project>
`;
