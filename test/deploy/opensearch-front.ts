import { once } from 'node:events';
import { createServer, type IncomingMessage, request as plainRequest, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, request as secureRequest } from 'node:https';
import { type AddressInfo, createServer as createDoor, type Socket } from 'node:net';
import type { Certificate } from './certificate.ts';
import { ADMIN_ROLE, ROLES_HEADER, USER_HEADER } from './secure-opensearch/secure-opensearch.ts';
import { authorizationOf, type Credentials, type Signatures } from './signatures/signatures.ts';

/** The first byte of a TLS connection. */
const TLS_HANDSHAKE = 22;
/** Headers that OpenSearch's security plugin would trust for the caller's identity. */
const TRUSTED_HEADERS = [USER_HEADER, ROLES_HEADER, 'x-forwarded-for'];

/** Credentials of a role. */
export interface RoleCredentials extends Credentials {
  roleArn: string;
}

/** Something that OpenSearch did not let a user do, or a request that was not let in. */
export interface Refusal {
  who: string;
  request: string;
  status: number;
  reason: string;
}

export interface OpenSearchFront {
  /** `host:port` */
  address: string;
  /** Whose signed requests came in, by the role's ARN. */
  roles: Set<string>;
  refusals: Refusal[];
  close(): Promise<void>;
}

/**
 * What OpenSearch Service puts in front of its nodes and of Dashboards: TLS, and sign-in with IAM. Stands before an
 * OpenSearch with the security plugin, which decides what each user may do. A signed request must have a valid
 * signature; it goes on as the user whose only backend role is the ARN of its IAM role, as on AWS. The master user
 * needs the right password; other passwords are the plugin's to check. Unlike AWS it speaks plain HTTP, too: MiniStack
 * takes TLS off part of what its functions ask 127.0.0.1 for.
 * @param options.credentialsOf an access key's; undefined if nobody has it
 */
export async function startOpenSearchFront(options: {
  node: string;
  dashboards?: string;
  certificate: Certificate;
  signatures: Signatures;
  credentialsOf: (accessKeyId: string) => Promise<RoleCredentials | undefined>;
  masterPassword: () => Promise<string>;
}): Promise<OpenSearchFront> {
  const { node, dashboards, certificate, signatures, credentialsOf, masterPassword } = options;
  const roles: OpenSearchFront['roles'] = new Set();
  const refusals: Refusal[] = [];

  /** Who comes, and the headers that sign them in; or why they may not come in. */
  async function signIn(incoming: IncomingMessage, body: Buffer): Promise<SignIn> {
    const { authorization = '' } = incoming.headers;
    if (authorization.startsWith('Basic ')) return signInWithPassword(authorization, masterPassword);
    const given = authorizationOf(incoming.headers);
    const credentials = given && (await credentialsOf(given.accessKeyId));
    if (!credentials) return { who: given?.accessKeyId ?? 'nobody', refused: 'no such access key' };
    const { method = 'GET', url: target = '/', headers } = incoming;
    const { roleArn } = credentials;
    const refused = await signatures.whyInvalid({ method, target, headers, body }, 'es', credentials);
    if (refused) return { who: roleArn, refused };
    roles.add(roleArn);
    return { who: roleArn, headers: signedInAs(roleArn, roleArn) };
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { method = 'GET', url = '/' } = incoming;
    const signedIn = await signIn(incoming, body);
    const refuse = (status: number, reason: string) =>
      refusals.push({ who: signedIn.who, request: `${method} ${url}`, status, reason });
    if (!signedIn.headers) {
      refuse(403, signedIn.refused);
      const answer = JSON.stringify({ message: signedIn.refused });
      response.writeHead(403, { 'content-type': 'application/json' }).end(answer);
      return;
    }
    const isForDashboards = url.startsWith('/_dashboards/');
    const server = new URL(url, isForDashboards ? dashboards : node);
    const send = server.protocol === 'https:' ? secureRequest : plainRequest;
    const sent = forOpenSearch2(url, body);
    const { authorization: _, host: __, ...headers } = incoming.headers;
    for (const name of TRUSTED_HEADERS) delete headers[name];
    const onward = send(server, {
      method,
      ca: certificate.pem,
      headers: { ...headers, ...signedIn.headers, 'content-length': sent.length },
    });
    onward.on('response', (answer) => {
      const status = answer.statusCode ?? 502;
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => {
        const text = Buffer.concat(parts);
        // An answer to a bulk request says it for each document.
        const isRefusal = status === 401 || status === 403 || text.includes('security_exception');
        if (isRefusal) refuse(status, text.toString());
        response.writeHead(status, answer.headers).end(text);
      });
    });
    onward.on('error', () => response.destroy());
    onward.end(sent);
  }

  const answer = (incoming: IncomingMessage, response: ServerResponse) => {
    handle(incoming, response).catch((error: Error) => {
      // 400, so that the client does not retry after a mistake of our own.
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
    roles,
    refusals,
    close: async () => {
      for (const socket of open) socket.destroy();
      door.close();
      await once(door, 'close');
    },
  };
}

type SignIn =
  | { who: string; headers: Record<string, string>; refused?: undefined }
  | { who: string; refused: string; headers?: undefined };

/** Headers of a user that has signed in. */
export function signedInAs(user: string, backendRole: string): Record<string, string> {
  return { 'x-forwarded-for': '127.0.0.1', [USER_HEADER]: user, [ROLES_HEADER]: backendRole };
}

async function signInWithPassword(
  authorization: string,
  masterPassword: () => Promise<string>,
): Promise<SignIn> {
  const credentials = Buffer.from(authorization.slice('Basic '.length), 'base64').toString();
  const [who = '', password] = credentials.split(/:(.*)/s);
  if (who !== 'master') return { who, headers: { authorization } };
  if (password !== (await masterPassword())) return { who, refused: 'wrong password' };
  return { who, headers: signedInAs(who, ADMIN_ROLE) };
}

/** The body of a request as OpenSearch 2.19 takes it: it has no derived source, which version 3 brought. */
function forOpenSearch2(path: string, body: Buffer): Buffer {
  if (!path.startsWith('/_index_template/') || body.length === 0) return body;
  const withoutIt = JSON.parse(body.toString(), (key, value) =>
    key.includes('derived_source') ? undefined : value,
  );
  return Buffer.from(JSON.stringify(withoutIt));
}
