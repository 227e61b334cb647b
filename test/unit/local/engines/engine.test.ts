import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  couldNotBind,
  type Engine,
  type EngineRecipe,
  EngineStartError,
  type StartOptions,
  startEngine,
} from '../../../../local/engines/engine.ts';
import { readLogTail } from '../../../../local/engines/java-process.ts';
import { javaProperties } from '../../../../local/engines/java-properties.ts';
import { parsePidFile } from '../../../../local/engines/pid-file.ts';
import { anyFreePort } from '../../../../local/engines/ports.ts';
import { identifyProcess } from '../../../../local/engines/process-identity.ts';

let folder: string;
let options: StartOptions;
let engine: Engine | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-'));
  options = {
    // Node instead of Java, because only the handling of the process is tested.
    jdk: { home: '', java: process.execPath, major: 21 },
    jars: { kafka: '', opensearch: '', s3: '' },
    folder,
  };
});

afterEach(async () => {
  await engine?.stop();
  engine = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function recipe(program: (port: number, attempt: number) => string): Promise<EngineRecipe> {
  let attempt = 0;
  return {
    name: 's3',
    title: 'the S3 server',
    usualPort: await anyFreePort(),
    portOption: '--s3-port',
    url: (port) => `http://127.0.0.1:${port}`,
    prepare: async ({ port }) => ['--eval', program(port, ++attempt)],
    isReady: async (port, signal) => (await fetch(`http://127.0.0.1:${port}`, { signal })).ok,
  };
}

const serve = (port: number): string =>
  `require('node:http').createServer((_, answer) => answer.end('ok')).listen(${port}, '127.0.0.1')`;

const cannotBind = `console.error('java.net.BindException: Address already in use'); process.exitCode = 1`;

describe('startEngine', () => {
  it('returns a running engine and writes a pid file', async () => {
    engine = await startEngine(await recipe(serve), options);
    expect(await (await fetch(engine.url)).text()).toBe('ok');
    const note = await readFile(join(folder, 'run/s3.json'), 'utf8');
    expect(parsePidFile(note)).toEqual(identifyProcess(engine.pid));
    expect(JSON.parse(note)).toMatchObject({ port: engine.port });
  });

  it('runs the process in its own group', async () => {
    engine = await startEngine(await recipe(serve), options);
    const group = engine.pid;
    // Signal 0 throws if there is no such group.
    expect(() => process.kill(-group, 0)).not.toThrow();
  });

  it('retries with another port if the usual one was taken before the bind', async () => {
    const twice = await recipe((port, attempt) => (attempt === 1 ? cannotBind : serve(port)));
    engine = await startEngine(twice, options);
    expect(engine.port).not.toBe(twice.usualPort);
  });

  it('gives up after four ports', async () => {
    let attempts = 0;
    const never = await recipe((_, attempt) => {
      attempts = attempt;
      return cannotBind;
    });
    await expect(startEngine(never, options)).rejects.toThrow(EngineStartError);
    expect(attempts).toBe(4);
  });

  it('reports a process that dies with the last 20 lines of its log', async () => {
    const dying = await recipe(
      () => `for (let i = 1; i <= 30; i++) console.log('line', i); process.exitCode = 3`,
    );
    const error = await startEngine(dying, options).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(EngineStartError);
    const { message, logTail } = error as EngineStartError;
    expect(message).toContain('the S3 server ended during its start (exit code 3)');
    expect(logTail.split('\n')).toEqual(Array.from({ length: 20 }, (_, i) => `line ${i + 11}`));
    expect(await readdir(join(folder, 'run'))).toEqual([]);
  });

  it('reports a java that cannot be run', async () => {
    const start = startEngine(await recipe(serve), {
      ...options,
      jdk: { home: '', java: '/nowhere/java', major: 21 },
    });
    await expect(start).rejects.toThrow('/nowhere/java could not be run');
  });

  it('starts nothing if already cancelled', async () => {
    const reason = new Error('Ctrl-C');
    const start = startEngine(await recipe(serve), { ...options, signal: AbortSignal.abort(reason) });
    await expect(start).rejects.toBe(reason);
    expect(await readdir(folder)).toEqual([]);
  });

  it('keeps the log of the previous start', async () => {
    const first = await startEngine(await recipe((port) => `console.log('first'); ${serve(port)}`), options);
    await first.stop();
    engine = await startEngine(await recipe((port) => `console.log('second'); ${serve(port)}`), options);
    expect(await readFile(join(folder, 'logs/s3.previous.log'), 'utf8')).toContain('first');
    expect(await readFile(engine.logFile, 'utf8')).toContain('second');
  });
});

describe('exited', () => {
  it('reports how a running engine died, with the end of its log', async () => {
    const program = (port: number): string =>
      `${serve(port)}; process.on('SIGUSR2', () => { console.log('disk full'); process.exit(7); })`;
    engine = await startEngine(await recipe(program), options);
    process.kill(engine.pid, 'SIGUSR2');
    expect(await engine.exited).toEqual({ code: 7, signal: null, logTail: 'disk full' });
    await engine.stop();
  });
});

describe('readLogTail', () => {
  it('reads only the end of a large log', async () => {
    const log = join(folder, 'large.log');
    await writeFile(log, Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`).join(''));
    expect((await readLogTail(log)).split('\n').at(0)).toBe('line 99980');
  });

  it('is empty without a log', async () => {
    expect(await readLogTail(join(folder, 'none.log'))).toBe('');
  });
});

describe('parsePidFile', () => {
  it.each(['', '{', 'null', '{"pid":0,"startTime":"x"}', '{"pid":-5,"startTime":"x"}', '{"pid":7}'])(
    'rejects %j',
    (text) => {
      expect(parsePidFile(text)).toBeUndefined();
    },
  );
});

describe('couldNotBind', () => {
  it.each([
    'org.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:9092: Address already in use.',
    'BindHttpException[Failed to bind to 127.0.0.1:9200]',
    'Caused by: java.net.BindException: Address already in use',
  ])('recognises %s', (line) => {
    expect(couldNotBind(`[INFO] starting\n${line}\n\tat java.base`)).toBe(true);
  });

  it('ignores other failures', () => {
    expect(couldNotBind('java.lang.OutOfMemoryError: Java heap space')).toBe(false);
  });
});

describe('javaProperties', () => {
  it('escapes everything that Java would misread', () => {
    expect(javaProperties({ path: ' /a\\b/ü', port: 1, on: true })).toBe(
      'path=\\ /a\\\\b/\\u00fc\nport=1\non=true\n',
    );
  });
});
