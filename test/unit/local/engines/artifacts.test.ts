import { createHash } from 'node:crypto';
import {
  access,
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ArtifactOptions,
  type DownloadProgress,
  ensureArtifacts,
  fetchArtifacts,
} from '../../../../local/engines/artifacts.ts';
import {
  ENGINE_NAMES,
  type EngineName,
  JarMismatchError,
  jarListFile,
  readJarList,
} from '../../../../local/engines/jar-list.ts';
import { ArtifactDownloadError, downloadedJar } from '../../../../local/engines/maven.ts';

let root: string;
let folder: string;
let options: ArtifactOptions;

/** What each engine's list names; a jar contains its artifact's name. */
const LISTED: Record<EngineName, string[]> = {
  kafka: ['kafka', 'shared'],
  opensearch: ['opensearch', 'lucene', 'shared'],
  s3: ['s3proxy'],
};

/** Stands in for Maven: makes the jars that the project's modules name, of OpenSearch first. */
const MAVEN = `#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/calls"
while [ $# -gt 0 ]; do
  if [ "$1" = --file ]; then project=$2; fi
  shift
done
for module in $(sed -n 's/.*<modules>//;s/<module>//g;s/<\\/modules>//;s/<\\/module>/ /gp' "$project/pom.xml"); do
  into=$project/$module/$(sed -n 's/.*<outputDirectory>\\(.*\\)<.*/\\1/p' "$project/$module/pom.xml")
  mkdir -p "$into"
  for jar in $(sed -n 's/.*<artifactItem>.*<artifactId>\\(.*\\)<.artifactId>.*/\\1/p' "$project/$module/pom.xml"); do
    echo "[INFO] Downloaded from central: https://example.org/org/$jar/1/$jar-1.pom (1 kB at 1 kB/s)"
    echo "[INFO] Downloaded from central: https://example.org/org/$jar/1/$jar-1.jar (1 kB at 1 kB/s)"
    printf %s "$jar" > "$into/$jar-1.jar"
  done
  # A test may hold it here.
  while [ -e "$here/wait-before-$jar" ]; do sleep 0.05; done
done
`;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'artifacts-'));
  folder = join(root, 'engines');
  const jdk = { home: join(root, 'jdk'), java: join(root, 'jdk/bin/java'), major: 21 };
  options = { folder, jdk, lists: join(root, 'lists') };
  for (const tool of ['javac', 'jar']) await program(`jdk/bin/${tool}`, '#!/bin/sh\nexit 0\n');
  await program('bin/mvn', MAVEN);
  await mkdir(join(root, 'lists'));
  for (const engine of ENGINE_NAMES) {
    const lines = LISTED[engine].map(
      (name) => `${createHash('sha256').update(name).digest('hex')} ${name.length} org:${name}:1\n`,
    );
    await writeFile(jarListFile(engine, options.lists), lines.join(''));
  }
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
  it('downloads all engines with one Maven, once, and counts the bytes', async () => {
    const progress: DownloadProgress[] = [];
    const jars = await ensureArtifacts({ ...options, onProgress: (step) => progress.push(step) });
    for (const engine of ENGINE_NAMES) {
      const files = (await readdir(jars[engine])).filter((file) => file.endsWith('.jar'));
      expect(files.toSorted()).toEqual(LISTED[engine].map((name) => `${name}-1.jar`).toSorted());
    }
    const done = progress.map(({ doneBytes }) => doneBytes);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(progress[0]).toEqual({ doneBytes: 0, totalBytes: 40 });
    expect(progress.at(-1)).toEqual({ doneBytes: 40, totalBytes: 40 });

    expect(await ensureArtifacts(options)).toEqual(jars);
    expect(await mavenCalls()).toBe(1);
  });

  it('makes an engine ready while others are still being fetched', async () => {
    await writeFile(join(root, 'bin/wait-before-kafka'), '');
    const { ready } = await fetchArtifacts(options);
    await ready.opensearch;
    const first = await Promise.race([ready.s3.then(() => 's3'), Promise.resolve('none yet')]);
    expect(first).toBe('none yet');
    await rm(join(root, 'bin/wait-before-kafka'));
    await Promise.all([ready.kafka, ready.s3]);
  });

  it('downloads only what is missing', async () => {
    const jars = await ensureArtifacts(options);
    await rm(jars.s3, { recursive: true });
    await ensureArtifacts(options);
    expect(await mavenCalls()).toBe(2);
    await access(jars.s3);
  });

  it('leaves complete folders if two processes run at once', async () => {
    const [one, other] = await Promise.all([ensureArtifacts(options), ensureArtifacts(options)]);
    expect(one).toEqual(other);
    expect(await readdir(one.opensearch)).toHaveLength(LISTED.opensearch.length);
    await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(1), { timeout: 20_000 });
  });

  it('removes versions that nobody has used for a day and abandoned downloads, nothing else', async () => {
    const names = ['0123456789abcdef', 'jars-0123456789abcdef', 'jars-1123456789abcdef', 'download-kept'];
    for (const name of [...names, 'download-abandoned', 'else']) {
      await mkdir(join(folder, name, 'kafka'), { recursive: true });
    }
    for (const name of ['0123456789abcdef', 'jars-0123456789abcdef', 'download-abandoned', 'else']) {
      await utimes(join(folder, name), 0, 0);
    }
    const jars = await ensureArtifacts(options);
    await vi.waitFor(
      async () => {
        const left = (await readdir(folder)).filter((name) => !jars.kafka.includes(name));
        expect(left.toSorted()).toEqual(['download-kept', 'else', 'jars-1123456789abcdef']);
      },
      { timeout: 20_000 },
    );
  });

  it('reports a failed download with the output of Maven, and leaves nothing incomplete', async () => {
    await program(
      'bin/mvn',
      '#!/bin/sh\necho "[INFO] Scanning"\necho "[ERROR] Unknown host repo.example.org"\nexit 1\n',
    );
    const error = await ensureArtifacts(options).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(ArtifactDownloadError);
    expect((error as Error).message).toMatch(/exit code 1.*\n.*Unknown host repo\.example\.org/);
    const [version = ''] = (await readdir(folder)).filter((name) => name.startsWith('jars-'));
    expect(await readdir(join(folder, version))).toEqual([]);
  });

  it('refuses a jar whose content is not the listed one, and one that does not come', async () => {
    await program('bin/mvn', MAVEN.replace('printf %s "$jar"', 'printf %s "$jar" | tr k K'));
    await expect(ensureArtifacts(options)).rejects.toThrow(
      /kafka-1\.jar has the SHA-256 [0-9a-f]{64} instead/,
    );
    await program('bin/mvn', MAVEN.replace('printf', '[ "$jar" = lucene ] || printf'));
    const elsewhere = { ...options, folder: join(root, 'elsewhere') };
    await expect(ensureArtifacts(elsewhere)).rejects.toThrow('lucene-1.jar is missing');
  });

  it('refuses to run jars that were changed or added since', async () => {
    const { s3 } = await ensureArtifacts(options);
    await appendFile(join(s3, 's3proxy-1.jar'), '!');
    await writeFile(join(s3, 'more.jar'), '');
    const error = await ensureArtifacts(options).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(JarMismatchError);
    expect((error as Error).message).toMatch(/more\.jar is not listed\n.*s3proxy-1\.jar has the SHA-256/);
  });

  it('ends the download when cancelled', async () => {
    await program(
      'bin/mvn',
      '#!/bin/sh\necho "[INFO] Downloaded from x: h/s3proxy-1.jar (1 kB)"\nexec sleep 60\n',
    );
    const controller = new AbortController();
    const reason = new Error('Ctrl-C');
    const download = ensureArtifacts({
      ...options,
      signal: controller.signal,
      onProgress: ({ doneBytes }) => doneBytes > 0 && controller.abort(reason),
    });
    await expect(download).rejects.toBe(reason);
  });
});

describe('the committed lists', () => {
  it.each(ENGINE_NAMES)('name the versions of pom.xml for %s', async (engine) => {
    const pom = await readFile(join(jarListFile(engine), '../../pom.xml'), 'utf8');
    const profile = pom.split('<profile>').find((each) => each.includes(`<id>${engine}</id>`)) ?? '';
    const wanted = [
      ...profile
        .replaceAll(/<exclusions>.*?<\/exclusions>/gs, '')
        .matchAll(/<groupId>(.*)<\/groupId>\s*<artifactId>(.*)<\/artifactId>\s*<version>(.*)<\/version>/g),
    ].map(([, group, artifact, version]) =>
      [group, artifact, version?.startsWith('${') ? /<log4j\.version>(.*)</.exec(pom)?.[1] : version].join(
        ':',
      ),
    );
    const listed = (await readJarList(jarListFile(engine))).map((jar) =>
      [jar.groupId, jar.artifactId, jar.version].join(':'),
    );
    expect(listed).toEqual(expect.arrayContaining(wanted));
    expect(wanted.length).toBeGreaterThan(0);
  });
});

describe('downloadedJar', () => {
  it.each([
    ['[INFO] Downloaded from central: https://example.org/k/k-4.1.1.jar (9.6 MB at 9 MB/s)', 'k-4.1.1.jar'],
    ['[INFO] Downloading from central: https://example.org/k/k-4.1.1.jar', undefined],
    ['[INFO] Downloaded from central: https://example.org/k/k-4.1.1.pom (2 kB at 9 kB/s)', undefined],
  ])('of %s is %s', (line, expected) => {
    expect(downloadedJar(line)).toBe(expected);
  });
});
