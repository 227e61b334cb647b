import { once } from 'node:events';
import { createServer, type RequestListener, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The only address that our servers on this machine listen on. */
export const LOOPBACK = '127.0.0.1';

export interface LoopbackServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  /** Stops listening and drops all open connections. May be called again. */
  close(): Promise<void>;
}

/**
 * Serves HTTP on 127.0.0.1, and only requests addressed to that name or to `localhost`, so a web page whose
 * host name resolves to this machine (DNS rebinding) gets nothing.
 * @param port 0 for any free port
 * @throws the `EADDRINUSE` error of `node:net` if the port is taken
 */
export async function serveOnLoopback(
  listener: RequestListener,
  port: number,
  options: ServerOptions = {},
): Promise<LoopbackServer> {
  const server = createServer(options, (request, response) => {
    const host = URL.parse(`http://${request.headers.host}`)?.hostname;
    if (host === LOOPBACK || host === 'localhost') listener(request, response);
    else sendJson(response, 403, { message: `This server answers at ${LOOPBACK} only, not at ${host}.` });
  }).listen(port, LOOPBACK);
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  let closed: Promise<void> | undefined;
  return {
    url: `http://${LOOPBACK}:${bound}`,
    port: bound,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

/** Answers a request with text of this content type. */
export function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    'content-type': `${contentType}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, 'application/json', JSON.stringify(body));
}
