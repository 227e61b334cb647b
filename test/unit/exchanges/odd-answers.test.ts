import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSource } from '../../../exchanges/http/ticker-source.ts';
import { EXCHANGES } from '../../../exchanges/registry.ts';
import { sourceNamed } from '../../../exchanges/source-config.ts';
import { SLOT } from '../../samples/tickers.ts';

const DEEP = '['.repeat(50_000) + ']'.repeat(50_000);
/** Every field that some exchange uses for its error, its code, or its tickers. */
const FIELDS = ['error', 'msg', 'message', 'retMsg', 'retCode', 'code', 'data', 'result', 'time', 'ret_msg'];
const BODIES = [
  DEEP,
  ...FIELDS.map((field) => `{"${field}":${DEEP}}`),
  `{"retCode":10006,"retMsg":${DEEP}}`,
  `{"code":"50011","msg":${DEEP},"data":[${DEEP}]}`,
  `[{"symbol":${DEEP},"lastPrice":${DEEP}}]`,
  `{"retCode":0,"retMsg":"OK","time":1772366400000,"result":{"category":"spot","list":[{"symbol":"A","lastPrice":${DEEP}},${DEEP}]}}`,
  `{"error":[],"result":{"A":{"c":[${DEEP}]},"B":${DEEP}}}`,
];

let served: { status: number; body: string };
let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((_, response) => {
    response.writeHead(served.status, { 'content-type': 'application/json' }).end(served.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('an answer nested 50,000 levels deep', () => {
  it.each(EXCHANGES.map(({ name }) => name))(
    'of %s fails its category or its tickers, not the poll',
    async (name) => {
      const failed: string[] = [];
      for (const status of [200, 429]) {
        for (const body of BODIES) {
          served = { status, body };
          const source = createSource(sourceNamed(name), { baseUrl: url });
          const categories = source.categories.slice(0, 1);
          await source
            .fetch(categories, { slot: SLOT, deadlineMs: Date.now() + 300 })
            .catch((error: Error) => failed.push(`${status} ${body.slice(0, 30)}: ${error.stack}`));
        }
      }
      expect(failed).toEqual([]);
    },
    60_000,
  );
});
