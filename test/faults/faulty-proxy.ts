import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that the proxy was asked to pass on. */
export interface ProxiedRequest {
  method: string;
  /** With the query. */
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface ProxiedResponse {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** What happens to a request. */
export type Fault =
  /** It is passed on, and so is the answer. */
  | 'none'
  /** The connection is cut at once. */
  | 'cut'
  /** It is passed on, the server executes it, and the connection is cut before the answer. */
  | 'cutAfter'
  /** It is passed on, the server executes it, and no answer ever arrives. */
  | 'silenceAfter'
  /** It is passed on, and the answer stops in the middle of its body. */
  | 'silenceWithin'
  /** It is answered by the proxy. */
  | { status: number; body: string; headers?: Record<string, string> }
  /** It is passed on with another body, and its answer is corrected accordingly. */
  | { send: Buffer; mend: (response: ProxiedResponse) => string };

/** A proxy in front of a real server that injects the faults a test asks for. */
export interface FaultyProxy {
  url: string;
  requests: ProxiedRequest[];
  close(): Promise<void>;
}

/** @param judge decides about each request, in their order */
export async function startFaultyProxy(
  target: string,
  judge: (request: ProxiedRequest) => Fault,
): Promise<FaultyProxy> {
  const requests: ProxiedRequest[] = [];
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen: ProxiedRequest = {
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: request.headers,
      body: await bodyOf(request),
    };
    requests.push(seen);
    const fault = judge(seen);
    if (fault === 'cut') return void response.destroy();
    if (typeof fault === 'object' && 'status' in fault) {
      return void response.writeHead(fault.status, fault.headers).end(fault.body);
    }
    const sent = typeof fault === 'object' ? { ...seen, body: fault.send } : seen;
    const answer = await forward(target, sent);
    if (fault === 'cutAfter') return void response.destroy();
    if (fault === 'silenceAfter') return;
    if (typeof fault === 'object') {
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(fault.mend(answer));
    }
    const { 'transfer-encoding': _, ...headers } = answer.headers;
    if (fault === 'silenceWithin') {
      return void response.writeHead(answer.status, headers).write(answer.body.subarray(0, -1));
    }
    response.writeHead(answer.status, headers).end(answer.body);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: at(target, (server.address() as AddressInfo).port),
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The same URL, with the same credentials, at another port of this machine. */
function at(target: string, port: number): string {
  const url = new URL(target);
  url.host = `127.0.0.1:${port}`;
  return url.href.replace(/\/$/, '');
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function forward(
  target: string,
  { method, path, headers, body }: ProxiedRequest,
): Promise<ProxiedResponse> {
  const { 'transfer-encoding': _, ...own } = headers;
  const { hostname, port } = new URL(target);
  const passed = httpRequest({
    hostname,
    port,
    path,
    method,
    headers: {
      // With its host, which is signed.
      ...own,
      ...(body.length > 0 ? { 'content-length': body.length } : {}),
    },
  });
  passed.end(body);
  const [answer] = (await once(passed, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 500, headers: answer.headers, body: await bodyOf(answer) };
}
