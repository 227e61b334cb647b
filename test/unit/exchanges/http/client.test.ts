import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CategoryOutcome, TickerSource } from '../../../../core/ingest/ports.ts';
import { WrongPayloadError } from '../../../../core/ingest/source-errors.ts';
import type { Category } from '../../../../core/market/series.ts';
import { createSource } from '../../../../exchanges/http/ticker-source.ts';
import { recordedBybitV5 } from '../../../samples/recorded-payloads.ts';
import { SLOT } from '../../../samples/tickers.ts';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

let server: Server;
let url: string;
/** By category; the last answer of a list is repeated. */
let answers: Partial<Record<Category, Answer[]>>;
let asked: { category: Category; atMs: number }[];
let paths: (string | undefined)[];

beforeEach(async () => {
  answers = {};
  asked = [];
  paths = [];
  server = createServer((request, response) => {
    const category = new URL(request.url ?? '', url).searchParams.get('category') as Category;
    // Not what these tests are about: without a list, the symbols say what they are.
    if (request.url?.includes('/instruments-info')) return void response.writeHead(404).end();
    asked.push({ category, atMs: Date.now() });
    paths.push(request.url);
    const queue = answers[category] ?? [good];
    const answer = queue.length > 1 ? queue.shift() : queue[0];
    answer?.(response, request);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  vi.restoreAllMocks();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const good: Answer = (response, request) => {
  const category = new URL(request.url ?? '', url).searchParams.get('category') as 'spot';
  response.setHeader('content-type', 'application/json').end(JSON.stringify(recordedBybitV5(category)));
};
const text =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, headers).end(body);
  };
const silence: Answer = () => {};

function source(options: Parameters<typeof createSource>[1] = {}): TickerSource {
  return createSource(
    { name: 'bybit', exchange: 'bybit', api: 'bybit-v5', categories: ['linear', 'inverse', 'spot'] },
    { baseUrl: url, ...options },
  );
}

async function fetchOne(from: TickerSource, deadlineMs = Date.now() + 5_000): Promise<CategoryOutcome> {
  const [outcome] = await from.fetch(['spot'], { slot: SLOT, deadlineMs });
  if (!outcome) throw new Error('no outcome');
  return outcome;
}
const countOf = (outcome: CategoryOutcome | undefined) =>
  outcome && 'batch' in outcome ? outcome.batch.tickers.length : undefined;
const errorOf = (outcome: CategoryOutcome | undefined) =>
  outcome && 'error' in outcome ? outcome.error : undefined;

describe('a source behind HTTP', () => {
  it('returns the categories in the order requested', async () => {
    const outcomes = await source().fetch(['linear', 'inverse', 'spot'], {
      slot: SLOT,
      deadlineMs: Date.now() + 5_000,
    });
    expect(outcomes.map((outcome) => [outcome.category, countOf(outcome)])).toEqual([
      ['linear', 1],
      ['inverse', 1],
      ['spot', 1],
    ]);
  });

  it('accepts a base URL with a path and a trailing slash', async () => {
    const outcome = await fetchOne(source({ baseUrl: `${url}/mirror/` }));
    expect(paths).toEqual(['/mirror/v5/market/tickers?category=spot']);
    expect(countOf(outcome)).toBe(1);
  });

  it('gives the tickers the slot and the time of receipt', async () => {
    const before = new Date().toISOString();
    const outcome = await fetchOne(source());
    if (!('batch' in outcome)) throw outcome.error;
    const ticker = outcome.batch.tickers[0];
    expect(ticker?.slot).toBe(SLOT);
    const times = [before, ticker?.received_at, outcome.receivedAt, new Date().toISOString()];
    expect(times).toEqual(times.toSorted());
  });

  it('retries after a server error', async () => {
    answers.spot = [text(503, 'maintenance'), good];
    const onRetry = vi.fn();
    expect(countOf(await fetchOne(source({ onRetry })))).toBe(1);
    expect(onRetry).toHaveBeenCalledExactlyOnceWith({
      attempt: 1,
      delayMs: expect.any(Number),
      error: expect.objectContaining({ name: 'SourceUnavailableError' }),
    });
  });

  it('retries after a timeout', async () => {
    answers.spot = [silence, good];
    expect(countOf(await fetchOne(source({ requestTimeoutMs: 100 })))).toBe(1);
  });

  it('retries if the connection is cut before the answer', async () => {
    answers.spot = [(response) => response.destroy(), good];
    expect(countOf(await fetchOne(source()))).toBe(1);
  });

  it('retries if the connection is cut in the middle of the JSON', async () => {
    const half: Answer = (response) => {
      const body = JSON.stringify(recordedBybitV5('spot'));
      response.writeHead(200, { 'content-length': String(body.length) });
      response.write(body.slice(0, body.length / 2), () => response.destroy());
    };
    answers.spot = [half, good];
    expect(countOf(await fetchOne(source()))).toBe(1);
  });

  it('retries if the rest of the body does not come', async () => {
    answers.spot = [(response) => response.writeHead(200).write('{"retCode":'), good];
    expect(countOf(await fetchOne(source({ requestTimeoutMs: 100 })))).toBe(1);
  });

  it('gives up at the deadline with the last error', async () => {
    answers.spot = [text(503, 'maintenance')];
    const deadlineMs = Date.now() + 1_500;
    expect(errorOf(await fetchOne(source(), deadlineMs))).toMatchObject({
      name: 'SourceUnavailableError',
      message: expect.stringContaining('answered 503: maintenance'),
    });
    expect(Date.now()).toBeLessThan(deadlineMs + 20_000);
  });

  it('gives up at the deadline with the error before it, if the last answer does not come in time', async () => {
    answers.spot = [text(503, 'maintenance'), silence];
    const outcome = await fetchOne(source(), Date.now() + 2_000);
    expect(asked).toHaveLength(2);
    expect(errorOf(outcome)?.message).toContain('answered 503: maintenance');
  });

  it('does not wait for an answer beyond the deadline', async () => {
    answers.spot = [silence];
    const deadlineMs = Date.now() + 200;
    expect(errorOf(await fetchOne(source({ requestTimeoutMs: 60_000 }), deadlineMs))?.message).toMatch(
      /did not answer: .*timeout/,
    );
    expect(Date.now()).toBeLessThan(deadlineMs + 20_000);
  });

  it('says why there is no answer', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as AddressInfo;
    nobody.close();
    await once(nobody, 'close');
    const outcome = await fetchOne(source({ baseUrl: `http://127.0.0.1:${port}` }), Date.now() + 1_000);
    expect(errorOf(outcome)?.message).toContain('ECONNREFUSED');
  });

  it('keeps truncated JSON and does not retry', async () => {
    const half = JSON.stringify(recordedBybitV5('spot')).slice(0, 100);
    answers.spot = [text(200, half)];
    const error = errorOf(await fetchOne(source()));
    expect(error).toBeInstanceOf(WrongPayloadError);
    expect(Buffer.from((error as WrongPayloadError).body).toString()).toBe(half);
    expect(error?.message).toMatch(/^bybit: the answer of http:.*spot is not JSON \(100 bytes, starting "/);
    expect(asked).toHaveLength(1);
  });

  it.each(['', '<html>hello</html>', '\ufffe'])('reports that the body %j is not JSON', async (body) => {
    answers.spot = [text(200, body)];
    expect(errorOf(await fetchOne(source()))?.message).toContain('is not JSON');
  });

  it('keeps bytes that are not UTF-8', async () => {
    const bytes = Buffer.from([0x7b, 0xff, 0x7d]);
    answers.spot = [(response) => response.end(bytes)];
    const error = errorOf(await fetchOne(source())) as WrongPayloadError;
    expect(Buffer.from(error.body)).toEqual(bytes);
  });

  it('names the exchange, the URL and the first difference of an unexpected envelope', async () => {
    answers.spot = [text(200, '{"retCode":0,"retMsg":"OK","result":{"category":"spot"},"time":1}')];
    expect(errorOf(await fetchOne(source()))?.message).toMatch(
      /^bybit: http:\S+category=spot does not have the documented shape: result\.list: /,
    );
  });

  it('does not retry after a refusal', async () => {
    answers.spot = [text(200, '{"retCode":10001,"retMsg":"params error"}')];
    expect(errorOf(await fetchOne(source()))?.name).toBe('SourceRefusedError');
    expect(asked).toHaveLength(1);
  });

  it('does not retry if the region is blocked', async () => {
    answers.spot = [text(403, 'blocked in your country')];
    expect(errorOf(await fetchOne(source()))?.name).toBe('RegionBlockedError');
    expect(asked).toHaveLength(1);
  });

  it('polls the other categories if one fails', async () => {
    answers.inverse = [text(200, 'oops')];
    const outcomes = await source().fetch(['linear', 'inverse', 'spot'], {
      slot: SLOT,
      deadlineMs: Date.now() + 5_000,
    });
    expect(outcomes.map((outcome) => countOf(outcome) ?? errorOf(outcome)?.name)).toEqual([
      1,
      'WrongPayloadError',
      1,
    ]);
  });
});

describe('a rate limit', () => {
  const limited = (untilMs: number) =>
    text(429, 'too many visits', { 'x-bapi-limit-reset-timestamp': String(untilMs) });

  it('is waited for if there is time', async () => {
    const untilMs = Date.now() + 300;
    answers.spot = [limited(untilMs), good];
    expect(countOf(await fetchOne(source()))).toBe(1);
    expect(asked).toHaveLength(2);
    expect(asked[1]?.atMs).toBeGreaterThanOrEqual(untilMs);
  });

  it('ends the poll immediately if there is not', async () => {
    answers.spot = [limited(Date.now() + 60_000)];
    const error = errorOf(await fetchOne(source()));
    expect(error).toMatchObject({
      name: 'RateLimitedError',
      message: expect.stringContaining('do not call it before 2'),
    });
    expect(asked).toHaveLength(1);
  });

  it('also stops later polls, in every category', async () => {
    answers.spot = [limited(Date.now() + 60_000)];
    const warm = source();
    await fetchOne(warm);
    const later = await warm.fetch(['linear', 'spot'], { slot: SLOT, deadlineMs: Date.now() + 5_000 });
    expect(later.map((outcome) => errorOf(outcome)?.name)).toEqual(['RateLimitedError', 'RateLimitedError']);
    expect(asked).toHaveLength(1);
  });

  it('ends when it said', async () => {
    const untilMs = Date.now() + 200;
    answers.spot = [limited(untilMs), good];
    const warm = source();
    await fetchOne(warm, Date.now() + 50);
    await vi.waitUntil(() => Date.now() >= untilMs, { interval: 10, timeout: 20_000 });
    expect(countOf(await fetchOne(warm))).toBe(1);
  });

  it('is not shortened by a shorter one in another category', async () => {
    const untilMs = Date.now() + 60_000;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    answers.linear = [
      (response, request) => {
        limited(untilMs)(response, request);
        response.once('close', release);
      },
    ];
    answers.spot = [(response, request) => held.then(() => limited(Date.now() + 100)(response, request))];
    const warm = source();
    await warm.fetch(['linear', 'spot'], { slot: SLOT, deadlineMs: Date.now() + 5_000 });
    expect(errorOf(await fetchOne(warm))).toMatchObject({ retryAtMs: untilMs });
  });

  it('does not outlive the function instance', async () => {
    answers.spot = [limited(Date.now() + 60_000), good];
    await fetchOne(source());
    expect(countOf(await fetchOne(source()))).toBe(1);
  });
});
