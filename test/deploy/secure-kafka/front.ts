import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Certificate } from '../certificate.ts';
import { tokenOf } from './broker.ts';

/** Number of Kafka's request: https://kafka.apache.org/protocol#protocol_api_keys */
const SASL_AUTHENTICATE = 36;
/** https://kafka.apache.org/protocol#protocol_error_codes */
const SASL_AUTHENTICATION_FAILED = 58;

/** Who signed in, by role name, or why sign-in was refused. */
export interface SignIn {
  who: string;
  refused?: string;
}

export interface KafkaFront {
  /** `host:port` */
  address: string;
  /** Numbers of the requests that each role has made. */
  requests: Map<string, Set<number>>;
  /** Refused sign-ins. */
  refusals: SignIn[];
  close(): Promise<void>;
}

/**
 * What MSK puts in front of its brokers: TLS, and sign-in with an IAM token. It signs admitted clients in to
 * the real broker as their role, and replaces the broker's address in answers with its own.
 * @param broker where roles sign in: `127.0.0.1:port`
 * @param signIn given the signed URL that the token consists of
 */
export async function startKafkaFront(
  broker: string,
  certificate: Certificate,
  signIn: (token: URL) => Promise<SignIn>,
): Promise<KafkaFront> {
  const brokerPort = Number(broker.split(':')[1]);
  const requests: KafkaFront['requests'] = new Map();
  const refusals: SignIn[] = [];
  const open = new Set<Socket>();
  const server = createServer({ pfx: certificate.pfx, passphrase: certificate.passphrase }, (near) => {
    const far = connect(brokerPort, '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('close', () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
      socket.on('error', () => socket.destroy());
    }
    let role: string | undefined;
    async function authenticate(frame: Buffer): Promise<void> {
      const token = signedUrlOf(frame);
      const { who, refused } = token
        ? await signIn(token).catch((error: Error) => ({ who: String(token), refused: error.message }))
        : { who: 'nobody', refused: 'no token of IAM' };
      if (refused === undefined) {
        role = who;
        far.write(withToken(frame, tokenOf(who)));
      } else {
        refusals.push({ who, refused });
        near.write(refusalOf(frame, refused));
      }
    }
    onFrames(near, (frame) => {
      const apiKey = frame.readInt16BE(4);
      if (apiKey === SASL_AUTHENTICATE) return void authenticate(frame);
      if (role) requests.set(role, (requests.get(role) ?? new Set()).add(apiKey));
      // The broker refuses clients that have not signed in.
      far.write(frame);
    });
    onFrames(far, (frame) => void near.write(withOurPort(frame)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  /** `"127.0.0.1"` as Kafka writes it, and the port behind it. */
  const place = (at: number) => Buffer.concat([text('127.0.0.1'), int32(at)]);
  const [theirs, ours] = [place(brokerPort), place(port)];
  function withOurPort(frame: Buffer): Buffer {
    for (let at = frame.indexOf(theirs); at >= 0; at = frame.indexOf(theirs, at + 1)) ours.copy(frame, at);
    return frame;
  }

  return {
    address: `127.0.0.1:${port}`,
    requests,
    refusals,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Calls for each whole message: four bytes of length, and what they say follows. */
function onFrames(socket: Socket, handle: (frame: Buffer) => void): void {
  let waiting: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 4) {
      const end = 4 + waiting.readInt32BE(0);
      if (waiting.length < end) return;
      const frame = Buffer.from(waiting.subarray(0, end));
      waiting = waiting.subarray(end);
      handle(frame);
    }
  });
}

/** The token is the base64 of a signed URL. */
function signedUrlOf(frame: Buffer): URL | undefined {
  const token = /auth=Bearer ([\w-]+)/.exec(frame.toString('latin1'))?.[1];
  const signed = Buffer.from(token ?? '', 'base64url').toString();
  return URL.canParse(signed) ? new URL(signed) : undefined;
}

/** The request with another token; what comes before its body stays. */
function withToken(frame: Buffer, token: string): Buffer {
  // 4 bytes of length, 2 + 2 + 4 of numbers, and the client's id behind its length.
  const header = frame.subarray(4, 14 + frame.readInt16BE(12));
  // RFC 7628
  const body = Buffer.from(`n,,\u0001auth=Bearer ${token}\u0001\u0001`);
  return message(header, int32(body.length), body);
}

/** The answer to a request that does not sign in. */
function refusalOf(frame: Buffer, reason: string): Buffer {
  const [version, correlationId] = [frame.readInt16BE(6), frame.readInt32BE(8)];
  const lifetime = Buffer.alloc(version > 0 ? 8 : 0);
  return message(
    int32(correlationId),
    Buffer.from([0, SASL_AUTHENTICATION_FAILED]),
    text(reason),
    int32(0),
    lifetime,
  );
}

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const text = (value: string) => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value.length);
  return Buffer.concat([bytes, Buffer.from(value)]);
};

function message(...parts: Buffer[]): Buffer {
  const whole = Buffer.concat(parts);
  return Buffer.concat([int32(whole.length), whole]);
}
