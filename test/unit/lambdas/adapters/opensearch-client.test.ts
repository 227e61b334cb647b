import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import {
  createOpenSearch,
  createOpenSearchOf,
  openSearchVariables,
} from '../../../../lambdas/adapters/opensearch-client.ts';
import { readEnvironment } from '../../../../lambdas/domain/environment.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Does something with a server that remembers the headers of the last request. */
async function withServer(
  work: (url: string, headers: () => IncomingHttpHeaders) => Promise<void>,
): Promise<void> {
  let seen: IncomingHttpHeaders = {};
  const server = createServer((request, response) => {
    seen = request.headers;
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
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
  it('signs in to nobody unless told to', () =>
    withServer(async (url, headers) => {
      await clientOf({ OPENSEARCH_URL: url }).info();
      expect(headers().authorization).toBeUndefined();
    }));

  it('signs with the function’s own credentials, for the service and region of the domain', () =>
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

  it('takes a user and a password', () =>
    withServer(async (url, headers) => {
      await createOpenSearch(url, { username: 'master', password: 'p' }).info();
      expect(headers().authorization).toBe(`Basic ${Buffer.from('master:p').toString('base64')}`);
    }));
});
