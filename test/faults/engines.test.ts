import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type EngineJars, ensureArtifacts } from '../../local/engines/artifacts.ts';
import { type Engine, EngineStartError } from '../../local/engines/engine.ts';
import { findJdk, type Jdk } from '../../local/engines/jdk.ts';
import { startKafka } from '../../local/engines/kafka.ts';
import { startOpenSearch } from '../../local/engines/opensearch.ts';
import { stopLeftovers } from '../../local/engines/pid-file.ts';
import { anyFreePort, PortTakenError } from '../../local/engines/ports.ts';
import { identifyProcess } from '../../local/engines/process-identity.ts';
import { startS3 } from '../../local/engines/s3.ts';
import { apartFromCredentials, localS3Client } from '../../local/engines/s3-client.ts';
import { Kafka } from '../../stores/kafka/kafkajs.ts';
import { freshBucket, freshTopic, kafka, openSearch, s3, services } from '../integration/services.ts';

let jdk: Jdk;
let jars: EngineJars;
let folder: string;
let engines: Engine[];

beforeAll(async () => {
  jdk = await findJdk();
  jars = await ensureArtifacts({ folder: inject('artifactsFolder'), jdk });
});

beforeEach(async () => {
  folder = await mkdtemp(join(inject('runFolder'), 'own-'));
  engines = [];
});

afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.stop()));
  await stopLeftovers(folder);
  await rm(folder, { recursive: true, force: true });
});

async function started(start: Promise<Engine>): Promise<Engine> {
  const engine = await start;
  engines.push(engine);
  return engine;
}

function isRunning(pid: number): boolean {
  return identifyProcess(pid) !== undefined;
}

describe('the artifacts', () => {
  it('are not downloaded again', async () => {
    const progress: unknown[] = [];
    await ensureArtifacts({
      folder: inject('artifactsFolder'),
      jdk,
      onProgress: (step) => progress.push(step),
    });
    expect(progress).toEqual([]);
  });
});

describe('the S3 server', () => {
  it('rejects the second conditional put of a key with 412', async () => {
    const Bucket = await freshBucket();
    const put = (Body: string) =>
      s3.send(new PutObjectCommand({ Bucket, Key: 'a/b=c/1.txt', Body, IfNoneMatch: '*' }));
    await put('first');
    await expect(put('second')).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'a/b=c/1.txt' }));
    expect(await Body?.transformToString()).toBe('first');
  });

  it('accepts one of several simultaneous conditional puts of a key', async () => {
    const Bucket = await freshBucket();
    const puts = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) =>
        s3.send(new PutObjectCommand({ Bucket, Key: 'race', Body: `${i}`, IfNoneMatch: '*' })),
      ),
    );
    expect(puts.filter((put) => put.status === 'fulfilled')).toHaveLength(1);
  });

  it('lets no web page read, write or delete, not even one whose name leads to this machine', async () => {
    const Bucket = await freshBucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'kept' }));
    const form = '--x\r\ncontent-disposition: form-data; name="key"\r\n\r\nplanted\r\n--x\r\n'.concat(
      'content-disposition: form-data; name="file"\r\n\r\nplanted\r\n--x--\r\n',
    );
    const requests: PageRequest[] = [
      { method: 'GET', path: '/' },
      { method: 'GET', path: `/${Bucket}?list-type=2` },
      { method: 'GET', path: `/${Bucket}/kept` },
      { method: 'HEAD', path: `/${Bucket}/kept` },
      { method: 'PUT', path: `/${Bucket}/planted`, body: 'planted' },
      { method: 'POST', path: `/${Bucket}`, contentType: 'multipart/form-data; boundary=x', body: form },
      {
        method: 'POST',
        path: `/${Bucket}?delete`,
        body: '<Delete><Object><Key>kept</Key></Object></Delete>',
      },
      { method: 'DELETE', path: `/${Bucket}/kept` },
      { method: 'OPTIONS', path: `/${Bucket}/kept` },
    ];
    const { endpoint } = apartFromCredentials(services.s3);
    const statuses = await Promise.all(requests.map((request) => asPage(endpoint, request)));
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents.map(({ Key }) => Key)).toEqual(['kept']);
    expect(statuses.filter((status) => status < 400)).toEqual([]);
  });

  it('keeps its objects when killed and started again', async () => {
    const first = await started(startS3({ jdk, jars, folder, port: await anyFreePort() }));
    const client = localS3Client(first.url);
    await client.send(new CreateBucketCommand({ Bucket: 'kept' }));
    for (let i = 0; i < 20; i++) {
      await client.send(new PutObjectCommand({ Bucket: 'kept', Key: `${i}`, Body: `body ${i}` }));
    }
    client.destroy();
    process.kill(first.pid, 'SIGKILL');
    expect(await first.exited).toMatchObject({ code: null, signal: 'SIGKILL' });

    const second = await started(startS3({ jdk, jars, folder, port: await anyFreePort() }));
    const again = localS3Client(second.url);
    const bodies = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const { Body } = await again.send(new GetObjectCommand({ Bucket: 'kept', Key: `${i}` }));
        return Body?.transformToString();
      }),
    );
    again.destroy();
    expect(bodies).toEqual(Array.from({ length: 20 }, (_, i) => `body ${i}`));
  });

  it.runIf(process.platform === 'linux')('starts from an archive of its classes the next time', async () => {
    const own = { ...jars, s3: join(folder, 'jars') };
    await cp(jars.s3, own.s3, { recursive: true, filter: (path) => !path.endsWith('.jsa') });
    const first = await started(startS3({ jdk, jars: own, folder, port: await anyFreePort() }));
    await first.prepareNextStart(new AbortController().signal);
    await first.stop();
    const archives = (await readdir(own.s3)).filter((file) => !file.endsWith('.jar'));
    expect(archives).toEqual([expect.stringMatching(/^classes-[0-9a-f]{16}\.jsa$/)]);

    const second = await started(startS3({ jdk, jars: own, folder, port: await anyFreePort() }));
    // Java maps only an archive that fits.
    expect(await readFile(`/proc/${second.pid}/maps`, 'utf8')).toContain(archives[0]);
  });
});

describe('Kafka', () => {
  it('does not create topics automatically', async () => {
    const producer = kafka.producer({ retry: { retries: 0 } });
    await producer.connect();
    await expect(producer.send({ topic: 'never-made', messages: [{ value: 'x' }] })).rejects.toMatchObject({
      cause: { type: 'UNKNOWN_TOPIC_OR_PARTITION' },
    });
    await producer.disconnect();
  });

  it('keeps records that are years old', async () => {
    const topic = await freshTopic(1);
    const admin = kafka.admin();
    await admin.connect();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: topic, configNames: ['retention.ms'] }],
    });
    await admin.disconnect();
    expect(resources[0]?.configEntries[0]?.configValue).toBe('-1');
  });

  it('keeps its records when killed and started again', async () => {
    const first = await started(startKafka({ jdk, jars, folder, port: await anyFreePort() }));
    const producer = clientOf(first).producer();
    const admin = clientOf(first).admin();
    await Promise.all([producer.connect(), admin.connect()]);
    await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }], waitForLeaders: true });
    await producer.send({ topic: 'kept', acks: -1, messages: [{ value: 'a' }, { value: 'b' }] });
    process.kill(first.pid, 'SIGKILL');
    await Promise.all([first.exited, producer.disconnect(), admin.disconnect()]);

    const second = await started(startKafka({ jdk, jars, folder, port: await anyFreePort() }));
    const again = clientOf(second).admin();
    await again.connect();
    expect(await again.fetchTopicOffsets('kept')).toMatchObject([{ low: '0', high: '2' }]);
    await again.disconnect();
  });
});

describe('OpenSearch', () => {
  it('does nothing that a web page asks for', async () => {
    const index = `page-${randomUUID()}`;
    await openSearch.index({ index, body: { kept: true }, refresh: true });
    const requests: PageRequest[] = [
      { method: 'POST', path: `/${index}/_delete_by_query?q=*&refresh=true` },
      { method: 'POST', path: `/${index}/_close` },
      { method: 'GET', path: `/${index}/_search` },
    ];
    const { host } = new URL(services.openSearch);
    for (const each of requests) {
      expect(await asPage(services.openSearch, { ...each, host }), each.path).toBe(403);
      // Also a page whose host name resolves to this machine.
      expect(await asPage(services.openSearch, each), each.path).toBe(403);
    }
    expect((await openSearch.count({ index })).body.count).toBe(1);
    await openSearch.indices.delete({ index });
  });

  it('creates indices automatically and runs scripts', async () => {
    await openSearch.index({ index: 'engines-test', id: '1', body: { n: 20 }, refresh: true });
    const { body } = await openSearch.search({
      index: 'engines-test',
      body: { query: { script: { script: "doc['n'].value * 2 + 2 == 42" } } },
    });
    await openSearch.indices.delete({ index: 'engines-test' });
    expect(body.hits.hits).toHaveLength(1);
  });

  it('is version 3.5', async () => {
    const { body } = await openSearch.info();
    expect(body.version.number).toMatch(/^3\.5\./);
  });
});

describe('an engine', () => {
  // /proc lists the sockets of a process.
  it.runIf(process.platform === 'linux')('listens on 127.0.0.1 only', async () => {
    const all = await Promise.all([
      started(startS3({ jdk, jars, folder, port: await anyFreePort() })),
      started(startKafka({ jdk, jars, folder, port: await anyFreePort() })),
    ]);
    for (const { pid, port } of all) {
      const sockets = await listeningSockets(pid);
      expect(sockets.map((socket) => socket.port)).toContain(port);
      expect(new Set(sockets.map((socket) => socket.address))).toEqual(new Set(['127.0.0.1']));
    }
  });

  it('leaves no process and no pid file when stopped', async () => {
    const engine = await started(startS3({ jdk, jars, folder, port: await anyFreePort() }));
    expect(await readdir(join(folder, 'run'))).toEqual(['s3.json']);
    await Promise.all([engine.stop(), engine.stop()]);
    await engine.stop();
    expect(isRunning(engine.pid)).toBe(false);
    expect(await readdir(join(folder, 'run'))).toEqual([]);
  });

  it('that hangs is killed', async () => {
    const engine = await started(startS3({ jdk, jars, folder, port: await anyFreePort() }));
    process.kill(engine.pid, 'SIGSTOP');
    await engine.stop();
    expect(await engine.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  it('whose start is cancelled is stopped', async () => {
    const reason = new Error('Ctrl-C');
    const controller = new AbortController();
    const start = startS3({ jdk, jars, folder, signal: controller.signal });
    const pidFile = join(folder, 'run', 's3.json');
    await expect.poll(() => readFile(pidFile, 'utf8'), { timeout: 60_000 }).toContain('pid');
    const { pid } = JSON.parse(await readFile(pidFile, 'utf8')) as { pid: number };
    controller.abort(reason);
    await expect(start).rejects.toBe(reason);
    expect(isRunning(pid)).toBe(false);
  });

  it('that dies during its start is reported with the end of its log', async () => {
    const start = startOpenSearch({ jdk, jars, folder, port: await anyFreePort(), heapMb: 1 });
    const error = await start.catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(EngineStartError);
    expect((error as EngineStartError).message).toMatch(
      /^OpenSearch ended during its start \(exit code 1\)[\s\S]*opensearch\.log[\s\S]*[Hh]eap/,
    );
    expect(await readdir(join(folder, 'run'))).toEqual([]);
  });

  it('that is not ready in time is stopped and reported', async () => {
    const start = startKafka({ jdk, jars, folder, port: await anyFreePort(), deadlineMs: 300 });
    await expect(start).rejects.toThrow('Kafka was not ready after 0.3 s');
    expect(await readdir(join(folder, 'run'))).toEqual([]);
  });
});

describe('a requested port', () => {
  let other: Server;

  afterEach(async () => {
    other.close();
  });

  it('that is taken is a clear error', async () => {
    other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const start = startS3({ jdk, jars, folder, port });
    await expect(start).rejects.toThrow(PortTakenError);
    await expect(start).rejects.toThrow(new RegExp(`Port ${port}.*S3 server.*taken.*--s3-port`));
  });
});

describe('the engines of an owner that was killed', () => {
  let owner: ChildProcess;

  afterAll(() => {
    owner?.kill('SIGKILL');
  });

  it('are found, stopped and forgotten', async () => {
    const script = fileURLToPath(new URL('owner-of-engines.ts', import.meta.url));
    owner = spawn(process.execPath, [script, inject('artifactsFolder'), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_NO_WARNINGS: '1' },
    });
    if (!owner.stdout) throw new Error('no stdout');
    const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
    const left = JSON.parse(line) as { name: string; pid: number; url: string }[];
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    expect(left.map(({ pid }) => isRunning(pid))).toEqual([true, true]);

    const stopped = await stopLeftovers(folder);
    expect(stopped.toSorted()).toEqual(left.map(({ name, pid }) => `${name} (pid ${pid})`).toSorted());
    expect(left.map(({ pid }) => isRunning(pid))).toEqual([false, false]);
    expect(await stopLeftovers(folder)).toEqual([]);
  });

  it('are not confused with another process of the same pid', async () => {
    await started(startS3({ jdk, jars, folder, port: await anyFreePort() }));
    const bystander = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const file = join(folder, 'run', 'kafka.json');
    await writeFile(file, JSON.stringify({ pid: bystander.pid, startTime: 'before the last boot', port: 1 }));
    await stopLeftovers(folder);
    expect(bystander.pid !== undefined && isRunning(bystander.pid)).toBe(true);
    bystander.kill();
    await once(bystander, 'exit');
    expect(await readdir(join(folder, 'run'))).toEqual([]);
  });
});

function clientOf(engine: Engine): Kafka {
  return new Kafka({ brokers: [engine.url], logLevel: logLevel.NOTHING });
}

/** The TCP sockets that a process listens on, from /proc. */
async function listeningSockets(pid: number): Promise<{ address: string; port: number }[]> {
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
  );
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8')),
  );
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      return state === '0A' && inodes.has(inode)
        ? [{ address: dotted(address), port: parseInt(port, 16) }]
        : [];
    });
}

/** `0100007F` and, mapped into IPv6, `0000000000000000FFFF00000100007F` are 127.0.0.1. */
function dotted(hex: string): string {
  const mapped = hex.replace(/^0000000000000000FFFF0000/, '');
  if (mapped.length !== 8) return hex;
  return (mapped.match(/../g) ?? [])
    .toReversed()
    .map((byte) => parseInt(byte, 16))
    .join('.');
}

interface PageRequest {
  /** @default the page's, which resolves to this machine */
  host?: string;
  method: string;
  path: string;
  contentType?: string;
  body?: string;
}

/** Sends what a page of http://evil.example can; resolves to the status. */
async function asPage(url: string, { host, method, path, contentType, body }: PageRequest): Promise<number> {
  const { hostname, port } = new URL(url);
  const own = `evil.example:${port}`;
  const headers = {
    host: host ?? own,
    // With the page's own host, both are the same origin.
    origin: host === undefined ? `http://${own}` : 'http://evil.example',
    'content-type': contentType ?? 'text/plain',
    'content-length': Buffer.byteLength(body ?? ''),
  };
  const sent = request({ hostname, port, path, method, headers });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode ?? 0;
}
