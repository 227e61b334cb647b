import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server answers to one request. */
export interface ServedAnswer {
  status?: number;
  headers?: Record<string, string>;
  /** JSON, or text as it is. */
  body: unknown;
}

/** A server on this machine that speaks an exchange's API: what it answers is given by path. */
export class ExchangeServer {
  /** By path with its query, else without; of a list of answers the last again and again. */
  readonly answers = new Map<string, ServedAnswer[]>();
  /** By path without query: what answers where nothing else is given. */
  readonly routes = new Map<string, (query: URLSearchParams) => ServedAnswer>();
  readonly #first = new Map<string, ServedAnswer[]>();
  /** Paths with their queries, in the order asked, each with its time. */
  readonly asked: { path: string; atMs: number }[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '';
      this.asked.push({ path, atMs: Date.now() });
      const { status = 200, headers = {}, body } = this.#answerTo(path);
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
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

  /** Answers the next requests of a path so, one after the other, before anything else. */
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

  /** Serves payloads from now on, and forgets what was asked before. */
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
