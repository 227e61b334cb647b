import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  LambdaClosedError,
  LambdaInitError,
  LambdaInvocationError,
  LambdaTimeoutError,
} from '../../../../local/lambda-host/errors.ts';
import {
  type LambdaFunction,
  type LambdaFunctionOptions,
  startLambda,
} from '../../../../local/lambda-host/host.ts';

let folder: string;
let running: LambdaFunction[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lambda-host-'));
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((lambda) => lambda.close()));
  await rm(folder, { recursive: true });
});

async function host(source: string, options: Partial<LambdaFunctionOptions> = {}): Promise<LambdaFunction> {
  const handlerFile = path.join(folder, 'handler.ts');
  await writeFile(handlerFile, source);
  const lambda = startLambda({
    name: 'under-test',
    handlerFile,
    environment: {},
    timeoutMs: 10_000,
    logFile: path.join(folder, 'logs', 'under-test.log'),
    ...options,
  });
  running.push(lambda);
  return lambda;
}

const logged = () => readFile(path.join(folder, 'logs', 'under-test.log'), 'utf8');

describe('a hosted Lambda function', () => {
  it('answers events, both through JSON', async () => {
    const lambda = await host(
      'export const handler = async (event: { at: unknown }) => ({ at: event.at, gone: undefined });',
    );
    await expect(lambda.invoke({ at: new Date(0) })).resolves.toStrictEqual({
      at: '1970-01-01T00:00:00.000Z',
    });
  });

  it('answers null if the handler returns nothing', async () => {
    const lambda = await host('export const handler = () => {};');
    await expect(lambda.invoke({})).resolves.toBeNull();
  });

  it('accepts a URL as the file, but no relative path', async () => {
    await host('export const handler = () => 1;');
    const url = pathToFileURL(path.join(folder, 'handler.ts'));
    await expect(
      (await host('export const handler = () => 2;', { handlerFile: url })).invoke({}),
    ).resolves.toBe(2);
    await expect(host('', { handlerFile: 'handler.ts' })).rejects.toThrow(/absolute path/);
  });

  it('sees only its own environment', async () => {
    vi.stubEnv('SECRET_OF_THE_HOST', 'x');
    const lambda = await host('export const handler = () => process.env;', {
      environment: { TOPIC: 'tickers' },
    });
    const seen = (await lambda.invoke({})) as Record<string, string>;
    vi.unstubAllEnvs();
    expect(seen).toMatchObject({ TOPIC: 'tickers', AWS_LAMBDA_FUNCTION_NAME: 'under-test' });
    expect(Object.keys(seen).filter((name) => name !== 'TOPIC' && !name.startsWith('AWS_LAMBDA_'))).toEqual(
      [],
    );
  });

  it('gives the handler a context with its name, a request id and the remaining time', async () => {
    const lambda = await host(
      `export const handler = (_: unknown, context: any) => ({
        name: context.functionName, id: context.awsRequestId, remaining: context.getRemainingTimeInMillis() });`,
      { timeoutMs: 5_000 },
    );
    const first = (await lambda.invoke({})) as { name: string; id: string; remaining: number };
    const second = (await lambda.invoke({})) as { id: string };
    expect(first.name).toBe('under-test');
    expect(first.remaining).toBeGreaterThan(3_000);
    expect(first.remaining).toBeLessThanOrEqual(5_000);
    expect(second.id).not.toBe(first.id);
  });

  it('handles one event at a time, in order, and keeps its module', async () => {
    const lambda = await host(`
      let active = 0, calls = 0;
      export const handler = async (n: number) => {
        active += 1; calls += 1;
        const together = active;
        await new Promise((resolve) => setImmediate(resolve));
        active -= 1;
        return { n, together, calls };
      };`);
    const answers = await Promise.all([1, 2, 3].map((n) => lambda.invoke(n)));
    expect(answers).toEqual([1, 2, 3].map((n) => ({ n, together: 1, calls: n })));
  });

  it('handles as many events at a time as it may, each in a thread of its own', async () => {
    // The first two calls wait for each other.
    const lambda = await host(
      `
      import { existsSync, writeFileSync } from 'node:fs';
      import { threadId } from 'node:worker_threads';
      let active = 0;
      export const handler = async ({ gate, n }: { gate: string; n: number }) => {
        active += 1;
        writeFileSync(gate + n, '');
        while (![0, 1].every((each) => existsSync(gate + each))) await new Promise((resolve) => setTimeout(resolve, 5));
        const inThisThread = active;
        active -= 1;
        return { threadId, inThisThread };
      };`,
      { concurrency: 2 },
    );
    const gate = path.join(folder, 'gate-');
    const calls = [0, 1, 2].map((n) => lambda.invoke({ gate, n }));
    const answers = (await Promise.all(calls)) as { threadId: number; inThisThread: number }[];
    expect(new Set(answers.map(({ threadId }) => threadId)).size).toBe(2);
    expect(answers.map(({ inThisThread }) => inThisThread)).toEqual([1, 1, 1]);
  });

  it('rejects with the error of the handler and keeps the thread', async () => {
    const lambda = await host(`
      let calls = 0;
      export const handler = () => {
        calls += 1;
        if (calls === 1) throw new RangeError('out of prices', { cause: new Error('the market is closed') });
        return calls;
      };`);
    const error = await lambda.invoke({}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LambdaInvocationError);
    expect(error).toMatchObject({
      errorType: 'RangeError',
      errorMessage: 'out of prices',
      functionName: 'under-test',
    });
    expect((error as LambdaInvocationError).trace.join('\n')).toMatch(/handler\.ts.*the market is closed/s);
    await expect(lambda.invoke({})).resolves.toBe(2);
  });

  it('ends an invocation that takes too long, even a busy loop, and starts a new thread', async () => {
    const lambda = await host(
      'let calls = 0; export const handler = (event: { hang: boolean }) => { calls += 1; while (event.hang) {} return calls; };',
      { timeoutMs: 300 },
    );
    await expect(lambda.invoke({ hang: false })).resolves.toBe(1);
    const error = await lambda.invoke({ hang: true }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LambdaTimeoutError);
    expect((error as Error).message).toContain('Task timed out after 0.30 seconds');
    await expect(lambda.invoke({ hang: false })).resolves.toBe(1);
  });

  it.each([
    ['exits', 'process.exit(7)', { errorType: 'Runtime.ExitError', errorMessage: /status 7/ }],
    [
      'has an uncaught exception',
      "setImmediate(() => { throw new TypeError('boom'); })",
      { errorType: 'TypeError', errorMessage: /boom/ },
    ],
  ])(
    'rejects the invocation during which the process %s, and starts a new thread',
    async (_, crash, expected) => {
      const lambda = await host(
        `export const handler = (event: { crash: boolean }) => { if (!event.crash) return 'well'; ${crash}; return new Promise(() => {}); };`,
      );
      await expect(lambda.invoke({ crash: true })).rejects.toMatchObject({
        name: 'LambdaInvocationError',
        errorType: expected.errorType,
        errorMessage: expect.stringMatching(expected.errorMessage),
      });
      await expect(lambda.invoke({ crash: false })).resolves.toBe('well');
    },
  );

  it.each([
    ['throws', "throw new Error('no database')", /could not be loaded.*no database/],
    ['exits', 'process.exit(3); export {}', /could not be loaded.*status 3/],
    ['exports no handler', 'export const handle = 1;', /exports no function named "handler"/],
    ['does not exist', undefined, /Cannot find module/],
  ])('reports that the module %s', async (_, source, message) => {
    const lambda = await host(
      source ?? '',
      source === undefined ? { handlerFile: path.join(folder, 'missing.ts') } : {},
    );
    const error = await lambda.invoke({}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LambdaInitError);
    expect((error as Error).message).toMatch(message);
  });

  it('limits the import by its own timeout', async () => {
    const slow = 'await new Promise((resolve) => setTimeout(resolve, 500)); export const handler = () => 1;';
    await expect((await host(slow, { timeoutMs: 200 })).invoke({})).resolves.toBe(1);
    const error = await (await host(slow, { initTimeoutMs: 10 }))
      .invoke({})
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LambdaInitError);
    expect((error as Error).message).toMatch(/longer than 10 ms/);
  });

  it('writes the output of the function and its failures to the log file', async () => {
    const lambda = await host(
      "export const handler = () => { console.log('to stdout'); console.error('to stderr'); throw new Error('at the end'); };",
    );
    await lambda.invoke({}).catch(() => {});
    await vi.waitFor(async () => {
      const log = await logged();
      for (const line of ['to stdout', 'to stderr', 'at the end']) expect(log).toContain(line);
    });
  });

  it('rejects running and waiting calls at once when closed', async () => {
    const lambda = await host('export const handler = () => new Promise(() => {});');
    const pending = [lambda.invoke(1), lambda.invoke(2)].map((call) => call.catch((error: unknown) => error));
    await lambda.close();
    expect(await Promise.all(pending)).toEqual([
      expect.any(LambdaClosedError),
      expect.any(LambdaClosedError),
    ]);
    await expect(lambda.invoke(3)).rejects.toBeInstanceOf(LambdaClosedError);
  });
});

describe('a hosted Lambda function in a process of its own', () => {
  const answering =
    'export const handler = async ({ n }: { n: number }) => ({ n, stage: process.env.STAGE });';

  it('answers as in a thread, with its own environment', async () => {
    const lambda = await host(answering, { ownProcess: true, environment: { STAGE: 'local' } });
    expect(await lambda.invoke({ n: 1 })).toEqual({ n: 1, stage: 'local' });
    expect(await lambda.invoke({ n: 2 })).toEqual({ n: 2, stage: 'local' });
  });

  it('is started again by the next call if it ended', async () => {
    const source = `export const handler = ({ dies }: { dies: boolean }) => (dies ? process.exit(3) : 'alive');`;
    const lambda = await host(source, { ownProcess: true });
    await expect(lambda.invoke({ dies: true })).rejects.toThrow(LambdaInvocationError);
    expect(await lambda.invoke({ dies: false })).toBe('alive');
  });

  it('can be closed while native code works, which would end the process of a thread', async () => {
    const duckDb = import.meta.resolve('@duckdb/node-api');
    const lambda = await host(
      `import { writeFileSync } from 'node:fs';
      import { DuckDBInstance } from '${duckDb}';
      export const handler = async () => {
        const connection = await (await DuckDBInstance.create()).connect();
        const running = connection.run('SELECT count(*) FROM range(100000000000) t(n) WHERE hash(n) = 7');
        writeFileSync(${JSON.stringify(path.join(folder, 'running'))}, '');
        await running;
      };`,
      { ownProcess: true },
    );
    const call = lambda.invoke({});
    call.catch(() => {});
    await vi.waitFor(() => readFile(path.join(folder, 'running')), { timeout: 20_000 });
    await lambda.close();
    await expect(call).rejects.toThrow(LambdaClosedError);
  });
});
