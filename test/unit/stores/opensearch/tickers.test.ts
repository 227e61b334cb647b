import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { IndexDocument } from '../../../../core/index/ports.ts';
import { createOpenSearch } from '../../../../stores/opensearch/client.ts';
import { OpenSearchTickers, type TickersOptions } from '../../../../stores/opensearch/tickers.ts';

/** A received bulk request. */
interface Bulk {
  /** Of the documents it creates. */
  ids: string[];
  body: string;
  path: string;
}
type Answer = (bulk: Bulk, response: ServerResponse) => void;

let server: Server;
let url: string;
let bulks: Bulk[];
/** What the server answers, request by request; the last one repeats. */
let answers: Answer[];

beforeEach(async () => {
  bulks = [];
  answers = [statuses(() => 201)];
  server = createServer(async (request, response) => {
    const body = await text(request);
    const actions = body.split('\n').filter((_, line) => line % 2 === 0 && _ !== '');
    const bulk = { body, path: request.url ?? '', ids: actions.map((line) => JSON.parse(line).create._id) };
    bulks.push(bulk);
    (answers.length > 1 ? answers.shift() : answers[0])?.(bulk, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
const typeOf = (status: number) => (status === 400 ? 'mapper_parsing_exception' : `type_${status}`);
/** Gives each document the status for its id. */
function statuses(statusOf: (id: string) => number): Answer {
  return ({ ids }, response) => {
    const items = ids.map((id) => {
      const status = statusOf(id);
      return {
        create: { status, ...(status < 300 ? {} : { error: { type: typeOf(status), reason: 'because' } }) },
      };
    });
    json(response, 200, { errors: items.some(({ create }) => create.status >= 300), items });
  };
}
const whole =
  (status: number): Answer =>
  (_, response) =>
    json(response, status, { error: { type: 'some_exception', reason: 'all of it' }, status });

const SLOT = '2026-03-01T12:00:00.000Z';
const now = () => Date.parse(SLOT) + 60_000;
const documentOf = (id: string): IndexDocument => ({
  id,
  slot: SLOT,
  source: '{"symbol":"A"}',
});
async function create(ids: string[], options: TickersOptions = {}, inMs = 3_000) {
  const client = createOpenSearch(url);
  try {
    return await new OpenSearchTickers(client, { now, ...options }).create(
      ids.map(documentOf),
      Date.now() + inMs,
    );
  } finally {
    await client.close();
  }
}
const kinds = async (...given: Parameters<typeof create>) => (await create(...given)).map(({ kind }) => kind);

describe('writing tickers to OpenSearch', () => {
  it('creates each document under its id in its index, and requests only the statuses', async () => {
    expect(await kinds(['a', 'b'])).toEqual(['stored', 'stored']);
    expect(bulks.map(({ body }) => body)).toEqual([
      '{"create":{"_index":"tickers-2026.03","_id":"a"}}\n{"symbol":"A"}\n{"create":{"_index":"tickers-2026.03","_id":"b"}}\n{"symbol":"A"}\n',
    ]);
    expect(bulks[0]?.path).toMatch(
      /^\/_bulk\?filter_path=errors%2Citems\.\*\.status%2Citems\.\*\.error&timeout=\d+ms$/,
    );
  });

  it('sends nothing for no documents', async () => {
    expect(await create([])).toEqual([]);
    expect(bulks).toEqual([]);
  });

  it('returns each document’s own outcome, in order', async () => {
    answers = [statuses((id) => ({ a: 201, b: 409, c: 400 })[id] ?? 500)];
    expect(await kinds(['a', 'b', 'c'])).toEqual(['stored', 'alreadyThere', 'refused']);
  });

  it('retries only the failed documents', async () => {
    answers = [statuses((id) => ({ b: 429, d: 503 })[id] ?? 201), statuses(() => 201)];
    const onRetry = vi.fn();
    expect(await kinds(['a', 'b', 'c', 'd'], { onRetry })).toEqual(['stored', 'stored', 'stored', 'stored']);
    expect(bulks.map(({ ids }) => ids)).toEqual([
      ['a', 'b', 'c', 'd'],
      ['b', 'd'],
    ]);
    expect(onRetry).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({
        documents: 2,
        error: expect.objectContaining({ message: '2 documents are not stored yet: 429 type_429: because' }),
      }),
    );
  });

  it('reports at the deadline which documents are not stored', async () => {
    answers = [statuses((id) => (id === 'b' ? 429 : 201))];
    expect(await create(['a', 'b'], {}, 1_500)).toEqual([
      { kind: 'stored' },
      { kind: 'retry', reason: '429 type_429: because' },
    ]);
  });

  it('keeps OpenSearch’s reason if the next attempt would come too late', async () => {
    answers = [statuses(() => 429)];
    const deadlineMs = Date.now() + 300;
    const stayBusy = () => {
      while (Date.now() <= deadlineMs);
    };
    expect(await create(['a'], { onRetry: stayBusy }, 300)).toEqual([
      { kind: 'retry', reason: '429 type_429: because' },
    ]);
  });

  it.each([429, 500, 502, 503, 401, 403])('retries the whole request after a %d', async (status) => {
    answers = [whole(status), statuses(() => 201)];
    expect(await kinds(['a', 'b'])).toEqual(['stored', 'stored']);
    expect(bulks).toHaveLength(2);
  });

  it.each([404, 405])('blames no document for a %d', async (status) => {
    answers = [whole(status)];
    expect(await kinds(['a', 'b'], {}, 100)).toEqual(['retry', 'retry']);
  });

  it('retries the whole request if the connection breaks', async () => {
    answers = [(_, response) => response.destroy(), statuses(() => 201)];
    expect(await kinds(['a', 'b'])).toEqual(['stored', 'stored']);
  });

  it('retries the whole request if the answer is not JSON', async () => {
    answers = [
      (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":['),
      statuses(() => 201),
    ];
    expect(await kinds(['a', 'b'])).toEqual(['stored', 'stored']);
  });

  it('retries documents that a short answer does not mention', async () => {
    answers = [
      ({ ids }, response) => statuses(() => 201)({ ids: ids.slice(1) } as Bulk, response),
      statuses(() => 201),
    ];
    expect(await kinds(['a', 'b'])).toEqual(['stored', 'stored']);
    expect(bulks.map(({ ids }) => ids.length)).toEqual([2, 1]);
  });

  it.each([400, 413])(
    'finds the document that makes OpenSearch refuse the whole request (%d)',
    async (status) => {
      answers = [
        (bulk, response) => (bulk.ids.includes('bad') ? whole(status) : statuses(() => 201))(bulk, response),
      ];
      expect(await kinds(['a', 'b', 'bad', 'c', 'd'])).toEqual([
        'stored',
        'stored',
        'refused',
        'stored',
        'stored',
      ]);
    },
  );

  it('passes on OpenSearch’s reason for refusing a request', async () => {
    answers = [
      ({ ids }, response) => {
        const reason = `Validation Failed: 1: id [${ids[0]}] is too long, must be no longer than 512 bytes;`;
        const error = { type: 'action_request_validation_exception', reason };
        json(response, 400, { error, status: 400 });
      },
    ];
    expect(await create(['a'])).toEqual([
      {
        kind: 'refused',
        errorType: 'action_request_validation_exception',
        reason:
          '400 action_request_validation_exception: Validation Failed: 1: id [a] is too long, must be no longer than 512 bytes;',
      },
    ]);
  });

  it('retries a request that is refused for no document’s sake, and does not halve it to the end', async () => {
    answers = [whole(400), whole(400), whole(400), statuses(() => 201)];
    expect(await kinds(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])).toEqual(Array(8).fill('stored'));
    expect(bulks.map(({ ids }) => ids.length)).toEqual([8, 4, 4, 8]);
  });

  it('retries a single document that is refused while nothing shows that it is to blame', async () => {
    answers = [whole(400), statuses(() => 201)];
    expect(await kinds(['a'])).toEqual(['stored']);
  });

  it('finds all documents with an error of their own, also side by side', async () => {
    const error = {
      type: 'action_request_validation_exception',
      reason: 'Validation Failed: 1: id [x] is too long, must be no longer than 512 bytes;',
    };
    answers = [
      (bulk, response) => {
        if (bulk.ids.some((id) => id.startsWith('bad'))) json(response, 400, { error, status: 400 });
        else statuses(() => 201)(bulk, response);
      },
    ];
    expect(await kinds(['bad1', 'a', 'bad2', 'bad3'])).toEqual(['refused', 'stored', 'refused', 'refused']);
    expect(await kinds(['bad1', 'bad2'])).toEqual(['refused', 'refused']);
  });

  it('blames no document if OpenSearch begins to refuse everything in between', async () => {
    answers = [whole(400), statuses(() => 201), ...Array<Answer>(3).fill(whole(400)), statuses(() => 201)];
    expect(await kinds(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])).toEqual(Array(8).fill('stored'));
  });

  it('stops halving at the deadline, and what is left is retried', async () => {
    answers = [(bulk, response) => setTimeout(() => whole(413)(bulk, response), 200)];
    const ids = Array.from({ length: 64 }, (_, index) => `d${index}`);
    const begunMs = Date.now();
    const outcomes = await kinds(ids, {}, 1_000);
    expect(Date.now() - begunMs).toBeLessThan(10_000); // 127 requests would take 25 s
    expect(bulks.length).toBeLessThanOrEqual(6);
    expect(outcomes.at(-1)).toBe('retry');
  });

  it('has OpenSearch give up a request before we do', async () => {
    answers = [statuses(() => 503), statuses(() => 201)];
    await create(['a'], {}, 10_000);
    const timeoutsMs = bulks.map(({ path }) => Number(/timeout=(\d+)ms/.exec(path)?.[1]));
    for (const timeoutMs of timeoutsMs) {
      expect(timeoutMs).toBeGreaterThanOrEqual(900);
      expect(timeoutMs).toBeLessThan(10_000);
    }
    bulks = [];
    await create(['a'], {}, 600_000);
    expect(bulks[0]?.path).toContain('timeout=18000ms');
  });

  describe('if OpenSearch asks for a pause', () => {
    const pause =
      (retryAfter: string): Answer =>
      (_, response) =>
        response.writeHead(429, { 'retry-after': retryAfter }).end('slow down');

    it('asks again only afterwards, on every connection', async () => {
      const timesMs: number[] = [];
      answers = [
        (bulk, response) => {
          timesMs.push(Date.now());
          if (timesMs.length === 1) pause('1')(bulk, response);
          else setTimeout(() => statuses(() => 201)(bulk, response), 20);
        },
      ];
      const two = { maxRequestBytes: 100, connections: 1 };
      expect(await kinds(['a', 'b', 'c'], two, 10_000)).toEqual(['stored', 'stored', 'stored']);
      expect((timesMs[1] as number) - (timesMs[0] as number)).toBeGreaterThanOrEqual(990);
      bulks = [];
      timesMs.length = 0;
      expect(await kinds(['a', 'b', 'c', 'd'], { maxRequestBytes: 100, connections: 2 }, 10_000)).toEqual(
        Array(4).fill('stored'),
      );
      // The second connection had already asked; nobody else does before the pause ends.
      expect(timesMs.slice(2).every((ms) => ms - (timesMs[0] as number) >= 990)).toBe(true);
    });

    it('beyond the deadline, gives up at once', async () => {
      answers = [pause(new Date(Date.now() + 3_600_000).toUTCString())];
      const begunMs = Date.now();
      expect(await kinds(['a', 'b', 'c'], { maxRequestBytes: 100, connections: 1 }, 20_000)).toEqual(
        Array(3).fill('retry'),
      );
      expect(Date.now() - begunMs).toBeLessThan(15_000);
      expect(bulks).toHaveLength(1);
    });
  });

  it('passes on a proxy’s answer if it refuses a request', async () => {
    answers = [(_, response) => response.writeHead(413).end('<html>too large</html>')];
    expect(await create(['a'])).toEqual([
      { kind: 'refused', errorType: 'status_413', reason: '413 status_413: <html>too large</html>' },
    ]);
  });

  it('times out while reading an answer', async () => {
    answers = [
      (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).write('{"errors":'),
    ];
    expect(await create(['a'], {}, 1_000)).toEqual([
      { kind: 'retry', reason: expect.stringMatching(/^NoAnswerInTimeError: .* within 1000 ms$/) },
    ]);
  });

  it('does not reuse a request’s memory before it is answered', async () => {
    const client = createOpenSearch(url);
    const tickers = new OpenSearchTickers(client, { now, maxRequestBytes: 100, connections: 1 });
    const lines = (id: string) => `{"create":{"_index":"tickers-2026.03","_id":"${id}"}}\n{"symbol":"A"}\n`;
    try {
      answers = [
        (_, response) => response.destroy(),
        statuses((id) => (id === 'a' ? 429 : 201)),
        statuses(() => 201),
      ];
      const ids = ['a', 'b', 'c', 'dé', 'e'.repeat(200)];
      const outcomes = await tickers.create(ids.map(documentOf), Date.now() + 20_000);
      expect(outcomes.map(({ kind }) => kind)).toEqual(ids.map(() => 'stored'));
      expect(bulks.map(({ body }) => body)).toEqual(['a', 'a', ...ids].map(lines));
    } finally {
      await client.close();
    }
  });

  it('takes each document only when a request has room for it', async () => {
    let taken = 0;
    const takenAtRequest: number[] = [];
    answers = [
      (bulk, response) => {
        takenAtRequest.push(taken);
        statuses(() => 201)(bulk, response);
      },
    ];
    function* documents() {
      for (const id of ['a', 'b', 'c', 'd']) {
        taken += 1;
        yield documentOf(id);
      }
    }
    const client = createOpenSearch(url);
    try {
      const tickers = new OpenSearchTickers(client, { now, maxRequestBytes: 100, connections: 1 });
      await tickers.create(documents(), Date.now() + 20_000);
      // The one that did not fit is already taken.
      expect(takenAtRequest).toEqual([2, 3, 4, 4]);
    } finally {
      await client.close();
    }
  });

  it('splits what is too large for one request and keeps the order of outcomes', async () => {
    answers = [statuses((id) => (id === 'c' ? 400 : 201))];
    expect(await kinds(['a', 'b', 'c', 'd'], { maxRequestBytes: 100 })).toEqual([
      'stored',
      'stored',
      'refused',
      'stored',
    ]);
    expect(bulks.map(({ ids }) => ids.length)).toEqual([1, 1, 1, 1]);
  });
});

describe('tickers that come late', () => {
  const daysLater = (days: number) => ({ now: () => Date.parse(SLOT) + days * 24 * 3_600_000 });

  it('have their hours recorded once they are indexed, even if they were before', async () => {
    answers = [statuses((id) => (id === 'b' ? 409 : 201))];
    expect(await kinds(['a', 'b'], daysLater(3))).toEqual(['stored', 'alreadyThere']);
    expect(bulks.map(({ ids }) => ids)).toEqual([['a', 'b'], ['2026-03-01T12:00:00.000Z']]);
    expect(bulks[1]?.body).toContain('"_index":"summaries-late"');
  });

  it('are delivered again if their hours cannot be recorded', async () => {
    answers = [statuses((id) => (id === 'c' ? 400 : 201)), statuses(() => 403)];
    const outcomes = await create(['a', 'c'], daysLater(3), 300);
    expect(outcomes).toMatchObject([
      { kind: 'retry', reason: expect.stringContaining('late tickers could not be recorded') },
      { kind: 'refused' },
    ]);
  });

  it('do not count as late if the next run of summarise looks that far back', async () => {
    await create(['a'], daysLater(0.9));
    expect(bulks).toHaveLength(1);
  });
});
