import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One answer of the server. */
export interface ServedAnswer {
  status?: number;
  headers?: Record<string, string>;
  /** Sent as JSON; a string or bytes are sent unchanged. */
  body: unknown;
}

/** A local server that speaks an exchange's API. Tests set its answers by path. */
export class ExchangeServer {
  /** By path with query, or without. The last answer of a list is repeated. */
  readonly answers = new Map<string, ServedAnswer[]>();
  /** By path without query; used if there is no answer. */
  readonly routes = new Map<string, (query: URLSearchParams) => ServedAnswer>();
  readonly #first = new Map<string, ServedAnswer[]>();
  /** Requests received, in order. */
  readonly asked: { path: string; atMs: number }[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '';
      this.asked.push({ path, atMs: Date.now() });
      const { status = 200, headers = {}, body } = this.#answerTo(path);
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body));
    });
  }

  #answerTo(path: string): ServedAnswer {
    const [bare = '', query] = path.split('?');
    const first = this.#first.get(bare)?.shift();
    if (first) return first;
    const queue = this.answers.get(path) ?? this.answers.get(bare);
    const answer = queue && queue.length > 1 ? queue.shift() : queue?.[0];
    const routed = answer ?? this.routes.get(bare)?.(new URLSearchParams(query));
    return routed ?? { status: 404, body: { message: 'NotFound' } };
  }

  /** Sets the answers to the next requests of a path, ahead of all others. */
  answerFirst(path: string, ...answers: ServedAnswer[]): void {
    this.#first.set(path, answers);
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Replaces all answers, and forgets the requests received. */
  serve(payloads: Record<string, unknown>): void {
    this.answers.clear();
    this.asked.length = 0;
    for (const [path, body] of Object.entries(payloads)) this.answers.set(path, [{ body }]);
  }

  paths(): string[] {
    return this.asked.map(({ path }) => path);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
