import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { readEnvironment } from '../../../../core/runtime/environment.ts';
import { createBulkClientOf } from '../../../../stores/opensearch/bulk-client.ts';
import { createOpenSearch, createOpenSearchOf } from '../../../../stores/opensearch/client.ts';
import { openSearchVariables } from '../../../../stores/opensearch/environment.ts';
import { OpenSearchTickers } from '../../../../stores/opensearch/tickers.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const STORED = '{"errors":false,"items":[{"create":{"status":201}}]}';

/** Runs `work` with a server that remembers the headers of the last request. */
async function withServer(
  work: (url: string, headers: () => IncomingHttpHeaders) => Promise<void>,
): Promise<void> {
  let seen: IncomingHttpHeaders = {};
  const server = createServer((request, response) => {
    seen = request.headers;
    response.writeHead(200, { 'content-type': 'application/json' }).end(STORED);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, () => seen);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const clientOf = (environment: NodeJS.ProcessEnv) =>
  createOpenSearchOf(readEnvironment(z.object(openSearchVariables), environment));

describe('an OpenSearch client', () => {
  it('does not sign in by default', () =>
    withServer(async (url, headers) => {
      await clientOf({ OPENSEARCH_URL: url }).info();
      expect(headers().authorization).toBeUndefined();
    }));

  it('signs with the function’s credentials for the domain’s service and region', () =>
    withServer(async (url, headers) => {
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
      vi.stubEnv('AWS_SESSION_TOKEN', 'token');
      const client = clientOf({ OPENSEARCH_URL: url, OPENSEARCH_AUTH: 'iam', AWS_REGION: 'eu-central-1' });
      await client.bulk({ body: [{ create: { _index: 'a' } }, {}] });
      expect(headers().authorization).toMatch(
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/es\/aws4_request, SignedHeaders=/,
      );
      expect(headers()['x-amz-security-token']).toBe('token');
    }));

  it('signs in as a user', () =>
    withServer(async (url, headers) => {
      await createOpenSearch(url, { username: 'master', password: 'p' }).info();
      expect(headers().authorization).toBe(`Basic ${Buffer.from('master:p').toString('base64')}`);
    }));
});

describe('the bulk client', () => {
  const tickersOf = (environment: NodeJS.ProcessEnv) =>
    new OpenSearchTickers(createBulkClientOf(readEnvironment(z.object(openSearchVariables), environment)), {
      now: () => 0, // no document is late
    });
  const documents = [{ id: 'a', slot: '2026-03-01T12:00:00.000Z', source: '{}' }];

  it('does not sign in by default', () =>
    withServer(async (url, headers) => {
      await tickersOf({ OPENSEARCH_URL: url }).create(documents, Date.now() + 10_000);
      expect(headers()).toMatchObject({ 'content-type': 'application/x-ndjson', connection: 'keep-alive' });
      expect(headers().authorization).toBeUndefined();
    }));

  it('signs the exact bytes of a request with the function’s credentials', () =>
    withServer(async (url, headers) => {
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
      vi.stubEnv('AWS_SESSION_TOKEN', 'token');
      const iam = { OPENSEARCH_URL: url, OPENSEARCH_AUTH: 'iam', AWS_REGION: 'eu-central-1' };
      await tickersOf(iam).create(documents, Date.now() + 10_000);
      expect(headers()).toMatchObject({
        authorization: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/es\/aws4_request, SignedHeaders=/,
        ),
        'x-amz-security-token': 'token',
        'x-amz-content-sha256': createHash('sha256')
          .update('{"create":{"_index":"tickers-2026.03","_id":"a"}}\n{}\n')
          .digest('hex'),
      });
    }));

  it('reconnects to a server that was down', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(STORED);
    });
    const listen = async (port: number) => {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    };
    const leave = async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    };
    const port = await listen(0);
    const tickers = tickersOf({ OPENSEARCH_URL: `http://127.0.0.1:${port}` });
    try {
      expect(await tickers.create(documents, Date.now() + 10_000)).toEqual([{ kind: 'stored' }]);
      await leave();
      expect(await tickers.create(documents, Date.now() + 100)).toMatchObject([{ kind: 'retry' }]);
      await listen(port);
      expect(await tickers.create(documents, Date.now() + 10_000)).toEqual([{ kind: 'stored' }]);
    } finally {
      await leave();
    }
  });
});
