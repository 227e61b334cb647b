import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ArtifactDownloadError,
  type DownloadProgress,
  ensureArtifacts,
  isDownloadedJar,
  JAR_COUNTS,
} from '../../../../local/engines/artifacts.ts';
import type { Jdk } from '../../../../local/engines/jdk.ts';

let root: string;
let folder: string;
let jdk: Jdk;

/** Stands in for Maven: prints its downloads, then creates as many files as the profile needs. */
const MAVEN = `#!/bin/sh
echo "$*" >> ${'"$(dirname "$0")/calls"'}
while [ $# -gt 0 ]; do
  case "$1" in
    --activate-profiles) engine=$2 ;;
    -DoutputDirectory=*) into=\${1#*=} ;;
  esac
  shift
done
case $engine in kafka) n=${JAR_COUNTS.kafka} ;; opensearch) n=${JAR_COUNTS.opensearch} ;; *) n=${JAR_COUNTS.s3} ;; esac
mkdir -p "$into"
echo "[INFO] Downloaded from central: https://example.org/org/a/a-1.pom (1 kB at 1 kB/s)"
echo "[INFO] Downloaded from central: https://example.org/org/a/a-1.jar (1 kB at 1 kB/s)"
echo "[INFO] Downloaded from central: https://example.org/org/b/b-1.jar (1 kB at 1 kB/s)"
echo "[INFO] --- maven-dependency-plugin:3.8.1:copy-dependencies (default-cli) @ engines ---"
echo "[INFO] Downloaded from central: https://example.org/org/plexus/p-1.jar (1 kB at 1 kB/s)"
i=0; while [ $i -lt $n ]; do : > "$into/$i.jar"; i=$((i + 1)); done
`;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'artifacts-'));
  folder = join(root, 'engines');
  jdk = { home: join(root, 'jdk'), java: join(root, 'jdk/bin/java'), major: 21 };
  await program('jdk/bin/javac', '#!/bin/sh\nexit 0\n');
  await program('bin/mvn', MAVEN);
  vi.stubEnv('PATH', `${join(root, 'bin')}:${process.env.PATH}`);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

async function program(path: string, text: string): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), text);
  await chmod(join(root, path), 0o755);
}

async function mavenCalls(): Promise<number> {
  const calls = await readFile(join(root, 'bin/calls'), 'utf8').catch(() => '');
  return calls.split('\n').length - 1;
}

describe('ensureArtifacts', () => {
  it('downloads each engine once, with progress', async () => {
    const progress: DownloadProgress[] = [];
    const jars = await ensureArtifacts({ folder, jdk, onProgress: (step) => progress.push(step) });
    expect(await readdir(jars.kafka)).toHaveLength(JAR_COUNTS.kafka);
    expect(progress.filter(({ engine }) => engine === 'kafka').map(({ done }) => done)).toEqual([
      0,
      1,
      2,
      JAR_COUNTS.kafka,
    ]);
    expect(await mavenCalls()).toBe(3);

    expect(await ensureArtifacts({ folder, jdk })).toEqual(jars);
    expect(await mavenCalls()).toBe(3);
  });

  it('downloads only what is missing', async () => {
    const jars = await ensureArtifacts({ folder, jdk });
    await rm(jars.s3, { recursive: true });
    await ensureArtifacts({ folder, jdk });
    expect(await mavenCalls()).toBe(4);
    await access(jars.s3);
  });

  it('leaves complete folders if two processes run at once', async () => {
    const [one, other] = await Promise.all([
      ensureArtifacts({ folder, jdk }),
      ensureArtifacts({ folder, jdk }),
    ]);
    expect(one).toEqual(other);
    expect(await readdir(one.opensearch)).toHaveLength(JAR_COUNTS.opensearch);
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('removes older versions and abandoned downloads, nothing else', async () => {
    await mkdir(join(folder, '0123456789abcdef/kafka'), { recursive: true });
    await mkdir(join(folder, 'download-kafka-abandoned'));
    await utimes(join(folder, 'download-kafka-abandoned'), 0, 0);
    await mkdir(join(folder, 'download-kafka-running'));
    const jars = await ensureArtifacts({ folder, jdk });
    const left = (await readdir(folder)).filter((name) => !jars.kafka.includes(name));
    expect(left).toEqual(['download-kafka-running']);
  });

  it('reports a failed download with the output of Maven, and leaves nothing incomplete', async () => {
    await program(
      'bin/mvn',
      '#!/bin/sh\necho "[INFO] Scanning"\necho "[ERROR] Unknown host repo.example.org"\nexit 1\n',
    );
    const error = await ensureArtifacts({ folder, jdk }).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(ArtifactDownloadError);
    expect((error as Error).message).toMatch(
      /jars of kafka .*exit code 1.*\n.*Unknown host repo\.example\.org/,
    );
    const [version = ''] = await readdir(folder);
    expect(await readdir(join(folder, version))).toEqual([]);
  });

  it('rejects an incomplete download', async () => {
    await program('bin/mvn', MAVEN.replace(`n=${JAR_COUNTS.kafka}`, 'n=5'));
    await expect(ensureArtifacts({ folder, jdk })).rejects.toThrow('got 5 jars instead of 46');
  });

  it('ends the download when cancelled', async () => {
    await program('bin/mvn', '#!/bin/sh\necho "[INFO] Downloaded from x: y.jar (1 kB)"\nexec sleep 60\n');
    const controller = new AbortController();
    const reason = new Error('Ctrl-C');
    const download = ensureArtifacts({
      folder,
      jdk,
      signal: controller.signal,
      onProgress: ({ done }) => done === 1 && controller.abort(reason),
    });
    await expect(download).rejects.toBe(reason);
  });
});

describe('isDownloadedJar', () => {
  it.each([
    ['[INFO] Downloaded from central: https://example.org/kafka-clients-4.1.1.jar (9.6 MB at 9 MB/s)', true],
    ['[INFO] Downloading from central: https://example.org/kafka-clients-4.1.1.jar', false],
    ['[INFO] Downloaded from central: https://example.org/kafka-clients-4.1.1.pom (2 kB at 9 kB/s)', false],
    [
      '[INFO] Downloaded from c: https://example.org/maven-dependency-plugin/3/x-3.jar (2 kB at 9 kB/s)',
      false,
    ],
  ])('of %s is %s', (line, expected) => {
    expect(isDownloadedJar(line)).toBe(expected);
  });
});
