import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createDoor, type Socket } from 'node:net';
import type { Certificate } from './certificate.ts';

/** The first byte of whoever wants TLS. */
const TLS_HANDSHAKE = 22;
const SECURITY_API = '/_plugins/_security/api/';

export interface OpenSearchFront {
  /** `host:port` */
  address: string;
  /** What was put through the security API, by path behind it: `roles/…`, `rolesmapping/…`, `internalusers/…`. */
  security: Map<string, Record<string, unknown>>;
  /** How those who came signed in. */
  signIns: { master: number; iam: number; nobody: number };
  close(): Promise<void>;
}

/**
 * What OpenSearch Service puts in front of its nodes and of Dashboards: TLS and fine-grained access control. Stands
 * before a plain OpenSearch. The master user needs the right password and may use the security API, which only keeps
 * what it is given; whoever signs with IAM gets in once a role is mapped; others are refused. Unlike AWS it neither
 * checks signatures nor what a role may do, and it speaks plain HTTP, too: MiniStack takes TLS off part of what its
 * functions ask 127.0.0.1 for.
 * @param masterPassword asked for when a user with a password comes
 */
export async function startOpenSearchFront(options: {
  node: string;
  dashboards: string;
  certificate: Certificate;
  masterPassword: () => Promise<string>;
}): Promise<OpenSearchFront> {
  const { node, dashboards, certificate, masterPassword } = options;
  const security: OpenSearchFront['security'] = new Map();
  const signIns = { master: 0, iam: 0, nobody: 0 };

  async function whoIs({ headers: { authorization = '' } }: IncomingMessage): Promise<keyof typeof signIns> {
    if (authorization.startsWith('Basic ')) {
      const credentials = Buffer.from(authorization.slice('Basic '.length), 'base64').toString();
      return credentials === `master:${await masterPassword()}` ? 'master' : 'nobody';
    }
    const isSigned = /^AWS4-HMAC-SHA256 Credential=[^,]+\/us-east-1\/es\/aws4_request/.test(authorization);
    const isMapped = [...security.keys()].some((path) => path.startsWith('rolesmapping/'));
    return isSigned && isMapped ? 'iam' : 'nobody';
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const who = await whoIs(incoming);
    signIns[who] += 1;
    const path = incoming.url ?? '/';
    if (who === 'nobody' || (path.startsWith(SECURITY_API) && who !== 'master')) {
      response.writeHead(who === 'nobody' ? 401 : 403, { 'content-type': 'application/json' }).end('{}');
    } else if (path.startsWith(SECURITY_API)) {
      security.set(path.slice(SECURITY_API.length), JSON.parse(await textOf(incoming)));
      response.writeHead(201, { 'content-type': 'application/json' }).end('{"status":"CREATED"}');
    } else {
      const { authorization: _, host: __, ...headers } = incoming.headers;
      const server = path.startsWith('/_dashboards/') ? dashboards : node;
      const onward = httpRequest(new URL(path, server), { method: incoming.method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      incoming.pipe(onward);
    }
  }

  const answer = (incoming: IncomingMessage, response: ServerResponse) => {
    handle(incoming, response).catch((error: Error) => {
      // 400: the client must not try again what is our own mistake.
      response
        .writeHead(400, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: error.message }));
    });
  };
  const plain = createServer(answer);
  const secure = createSecureServer({ pfx: certificate.pfx, passphrase: certificate.passphrase }, answer);
  const open = new Set<Socket>();
  const door = createDoor((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      const isTls = first[0] === TLS_HANDSHAKE;
      (isTls ? secure : plain).emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  }).listen(0, '127.0.0.1');
  await once(door, 'listening');
  return {
    address: `127.0.0.1:${(door.address() as AddressInfo).port}`,
    security,
    signIns,
    close: async () => {
      for (const socket of open) socket.destroy();
      door.close();
      await once(door, 'close');
    },
  };
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
