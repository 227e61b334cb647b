import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { recordedBybitV5 } from '../../samples/recorded-payloads.ts';

type Category = 'linear' | 'inverse' | 'spot';

/** A Bybit of our own, that answers recorded payloads unless a test says otherwise. */
export interface FakeBybit {
  url: string;
  /** The list of a category's tickers, as the exchange writes them. */
  lists: Partial<Record<Category, unknown[]>>;
  /** Status of every answer. */
  status: number;
  /** Of tickers. */
  requests: number;
  close(): Promise<void>;
}

export async function startFakeBybit(): Promise<FakeBybit> {
  const server = createHttpServer((request, response) => {
    // It has no list of instruments, so symbols are split by their spelling.
    if (request.url?.includes('/instruments-info')) return void response.writeHead(404).end();
    fake.requests += 1;
    const category = new URL(request.url ?? '', fake.url).searchParams.get('category') as Category;
    const payload = recordedBybitV5(category);
    payload.result.list = fake.lists[category] ?? payload.result.list;
    response.writeHead(fake.status, { 'content-type': 'application/json' }).end(JSON.stringify(payload));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const fake: FakeBybit = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lists: {},
    status: 200,
    requests: 0,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return fake;
}

/** `127.0.0.1:port` where nobody listens. */
export async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${port}`;
}

/** A wire to a server that cuts its first connections, as a server does that is just coming back. */
export interface FlakyWire {
  url: string;
  connections: number;
  close(): Promise<void>;
}

export async function startFlakyWire(target: string, cutFirst: number): Promise<FlakyWire> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const server: Server = createServer((near) => {
    wire.connections += 1;
    near.on('error', () => near.destroy());
    if (wire.connections <= cutFirst) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    far.on('error', () => near.destroy());
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    }
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const wire: FlakyWire = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: 0,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return wire;
}
