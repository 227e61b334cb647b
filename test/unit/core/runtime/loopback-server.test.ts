import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type LoopbackServer, send, serveOnLoopback } from '../../../../core/runtime/loopback-server.ts';

let server: LoopbackServer;
let answered: number;
beforeEach(async () => {
  answered = 0;
  server = await serveOnLoopback((_, response) => {
    answered += 1;
    send(response, 200, 'text/plain', 'data');
  }, 0);
});
afterEach(() => server.close());

async function statusFor(host: string): Promise<number | undefined> {
  const sent = request(server.url, { headers: { host } });
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

it.each([
  'evil.example',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  '127.0.0.1@evil.example',
  '',
  '[',
])('tells a page of "%s", whose name leads to this machine, nothing', async (name) => {
  expect(await statusFor(`${name}:${server.port}`)).toBe(403);
  expect(answered).toBe(0);
});

it.each(['127.0.0.1', 'localhost'])('answers at %s', async (name) => {
  expect(await statusFor(`${name}:${server.port}`)).toBe(200);
});
