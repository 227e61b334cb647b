import { Agent, request } from 'node:http';
import { tickerIndexOf } from '../core/market/index-names.ts';
import { type Ticker, tickerId } from '../core/market/ticker.ts';

/** The adapter's limit per request. */
const A_REQUEST_BYTES = 5 * 1024 * 1024;

export interface BulkDocument {
  index: string;
  id: string;
  record: object;
}

/** @param index @default each ticker's own index */
export function documentsOf(tickers: readonly Ticker[], index?: string): BulkDocument[] {
  return tickers.map((record) => ({
    index: index ?? tickerIndexOf(record.slot),
    id: tickerId(record),
    record,
  }));
}

/** Bulk requests that create the documents, as large as the adapter's. */
export function* bulkBodies(documents: Iterable<BulkDocument>): Generator<Buffer> {
  let lines: string[] = [];
  let bytes = 0;
  for (const { index, id, record } of documents) {
    const action = { create: { _index: index, _id: id } };
    const line = `${JSON.stringify(action)}\n${JSON.stringify(record)}\n`;
    const size = Buffer.byteLength(line);
    if (lines.length > 0 && bytes + size > A_REQUEST_BYTES) {
      yield Buffer.from(lines.join(''));
      [lines, bytes] = [[], 0];
    }
    lines.push(line);
    bytes += size;
  }
  if (lines.length > 0) yield Buffer.from(lines.join(''));
}

/** The yardstick: plain HTTP, whose responses are read but not parsed. */
export class RawClient {
  readonly #agent: Agent;
  readonly #url: string;

  constructor(openSearchUrl: string, connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#url = openSearchUrl;
  }

  /** Sends prepared bulk requests over all connections. @throws Error if OpenSearch did not accept all of it */
  async bulk(bodies: Iterable<Buffer>): Promise<void> {
    const path = '/_bulk?filter_path=errors,items.*.status,items.*.error';
    await inParallel(bodies, this.#agent.maxSockets, async (body) => {
      const answer = await this.send('POST', path, body, 'application/x-ndjson');
      if (!answer.startsWith('{"errors":false'))
        throw new Error(`OpenSearch answered ${answer.slice(0, 300)}`);
    });
  }

  /** @throws Error unless the status is 200 or 201 */
  send(method: string, path: string, body: Buffer | string, contentType: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
      const outgoing = request(
        new URL(path, this.#url),
        { method, agent: this.#agent, headers },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', reject);
          response.on('end', () => {
            const answer = Buffer.concat(parts).toString('utf8');
            if (response.statusCode === 200 || response.statusCode === 201) resolve(answer);
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
  items: Iterable<T>,
  workers: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
