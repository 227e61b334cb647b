import { Agent, request } from 'node:http';

/** The yardstick: prepared bulk requests over plain HTTP, whose responses are read but not parsed. */
export class RawBulk {
  readonly #agent: Agent;
  readonly #url: URL;

  constructor(openSearchUrl: string, connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#url = new URL('/_bulk?filter_path=errors,items.*.status,items.*.error', openSearchUrl);
  }

  /** @throws Error if OpenSearch did not accept all of it */
  send(body: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          headers: { 'content-type': 'application/x-ndjson', 'content-length': body.length },
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', reject);
          response.on('end', () => {
            const answer = Buffer.concat(parts).toString('utf8');
            if (response.statusCode === 200 && answer.startsWith('{"errors":false')) resolve();
            else reject(new Error(`OpenSearch answered ${response.statusCode}: ${answer.slice(0, 300)}`));
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Processes the items with a number of parallel workers. */
export async function inParallel<T>(
  items: readonly T[],
  workers: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
