import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

interface StoredObject {
  type: string;
  id: string;
  attributes: Record<string, unknown>;
  references: { type: string; id: string }[];
}

export interface DashboardsServer {
  url: string;
  /** By type and id. */
  objects: Map<string, StoredObject>;
  requests: { path: string; headers: IncomingMessage['headers'] }[];
  /** Statuses to answer the next requests with. */
  failNext: number[];
  close(): Promise<void>;
}

const keyOf = ({ type, id }: { type: string; id: string }) => `${type}:${id}`;

/**
 * The saved objects API of OpenSearch Dashboards 2.x and 3.x, with answers shaped like recorded ones. Like them, it
 * refuses requests without `osd-xsrf`, files with another extension, and references to missing objects.
 */
export async function startDashboardsServer(basePath = ''): Promise<DashboardsServer> {
  const objects = new Map<string, StoredObject>();
  const requests: DashboardsServer['requests'] = [];
  const failNext: number[] = [];

  const routes: Record<string, (request: Request) => Promise<{ status: number; body: string }>> = {
    '/api/saved_objects/_bulk_get': async (request) => {
      const asked = (await request.json()) as { type: string; id: string }[];
      const saved_objects = asked.map(
        (one) =>
          objects.get(keyOf(one)) ?? {
            ...one,
            error: {
              statusCode: 404,
              error: 'Not Found',
              message: `Saved object [${one.type}/${one.id}] not found`,
            },
          },
      );
      return { status: 200, body: JSON.stringify({ saved_objects }) };
    },
    '/api/saved_objects/_export': async (request) => {
      const { objects: asked } = (await request.json()) as { objects: { type: string; id: string }[] };
      if (!asked.every((one) => objects.has(keyOf(one))))
        return { status: 400, body: '{"message":"Bad Request"}' };
      return { status: 200, body: asked.map((one) => JSON.stringify(objects.get(keyOf(one)))).join('\n') };
    },
    '/api/saved_objects/_import?overwrite=true': async (request) => {
      const file = (await request.formData()).get('file') as File;
      if (!file.name.endsWith('.ndjson')) {
        return { status: 400, body: `{"message":"Invalid file extension ${file.name}"}` };
      }
      const incoming = (await file.text())
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as StoredObject);
      const there = new Set([...objects.keys(), ...incoming.map(keyOf)]);
      const missing = (one: StoredObject) => one.references.filter((each) => !there.has(keyOf(each)));
      const good = incoming.filter((one) => missing(one).length === 0);
      const errors = incoming
        .filter((one) => missing(one).length > 0)
        .map((one) => ({
          type: one.type,
          id: one.id,
          title: one.attributes.title,
          meta: { title: one.attributes.title },
          error: { type: 'missing_references', references: missing(one) },
        }));
      const successResults = good.map(({ type, id, attributes }) => ({
        type,
        id,
        meta: { title: attributes.title },
        ...(objects.has(keyOf({ type, id })) ? { overwrite: true } : {}),
      }));
      for (const one of good) objects.set(keyOf(one), one);
      const answer = {
        successCount: good.length,
        success: errors.length === 0,
        successResults,
        ...(errors.length > 0 ? { errors } : {}),
      };
      return { status: 200, body: JSON.stringify(answer) };
    },
  };

  const server = createServer(async (incoming, response) => {
    const path = (incoming.url ?? '').slice(basePath.length);
    requests.push({ path, headers: incoming.headers });
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const send = (status: number, body: string) => response.writeHead(status).end(body);
    const failure = failNext.shift();
    if (failure !== undefined) return send(failure, '{"message":"not now"}');
    if (!incoming.headers['osd-xsrf'])
      return send(400, '{"message":"Request must contain an osd-xsrf header."}');
    const route = routes[path];
    if (!route) return send(404, '{"message":"Not Found"}');
    const request = new Request('http://dashboards', {
      method: 'POST',
      headers: { 'content-type': String(incoming.headers['content-type']) },
      body: Buffer.concat(chunks),
    });
    const { status, body } = await route(request);
    return send(status, body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${basePath}`,
    objects,
    requests,
    failNext,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
