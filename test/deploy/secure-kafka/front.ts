import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Certificate } from './certificate.ts';

/** Numbers of Kafka's requests: https://kafka.apache.org/protocol#protocol_api_keys */
const SASL_HANDSHAKE = 17;
const API_VERSIONS = 18;
const SASL_AUTHENTICATE = 36;

export interface KafkaFront {
  /** `host:port` */
  address: string;
  /** The tokens of those who signed in: the signed URLs that MSK would check. */
  signIns: URL[];
  /** Numbers of the requests that each access key has made. */
  requests: Map<string, Set<number>>;
  close(): Promise<void>;
}

/**
 * What MSK puts in front of its brokers: TLS, and sign-in with a token of IAM. Stands before a plain Kafka, and
 * makes whoever asks where the brokers are come back to itself. It looks into the token but, unlike AWS, cannot
 * check its signature.
 * @param broker `127.0.0.1:port`
 */
export async function startKafkaFront(broker: string, certificate: Certificate): Promise<KafkaFront> {
  const brokerPort = Number(broker.split(':')[1]);
  const signIns: URL[] = [];
  const requests: KafkaFront['requests'] = new Map();
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
    let accessKey: string | undefined;
    onFrames(near, (frame) => {
      const apiKey = frame.readInt16BE(4);
      const apiVersion = frame.readInt16BE(6);
      const correlationId = frame.readInt32BE(8);
      if (apiKey === SASL_HANDSHAKE) {
        near.write(answer(correlationId, Buffer.from([0, 0, 0, 0, 0, 1]), text('OAUTHBEARER')));
      } else if (apiKey === SASL_AUTHENTICATE) {
        const url = signedUrlOf(frame);
        accessKey = url?.searchParams.get('X-Amz-Credential')?.split('/')[0];
        if (url) signIns.push(url);
        const error = accessKey ? Buffer.from([0, 0, 0xff, 0xff]) : Buffer.from([0, 58, 0xff, 0xff]);
        const lifetime = apiVersion > 0 ? Buffer.alloc(8) : Buffer.alloc(0);
        near.write(answer(correlationId, error, Buffer.alloc(4), lifetime));
      } else if (accessKey || apiKey === API_VERSIONS) {
        if (accessKey) requests.set(accessKey, (requests.get(accessKey) ?? new Set()).add(apiKey));
        far.write(frame);
      } else {
        near.destroy(); // as MSK does with strangers
      }
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
    signIns,
    requests,
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

/** The token is the base64 of a signed URL that asks for kafka-cluster:Connect. */
function signedUrlOf(frame: Buffer): URL | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 7628 parts its fields with 0x01
  const token = /auth=Bearer ([A-Za-z0-9_-]+)\u0001/.exec(frame.toString('latin1'))?.[1];
  const signed = Buffer.from(token ?? '', 'base64url').toString();
  if (!URL.canParse(signed)) return undefined;
  const url = new URL(signed);
  const isConnect = url.searchParams.get('Action') === 'kafka-cluster:Connect';
  return isConnect && url.searchParams.has('X-Amz-Signature') ? url : undefined;
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

function answer(correlationId: number, ...body: Buffer[]): Buffer {
  const message = Buffer.concat([int32(correlationId), ...body]);
  return Buffer.concat([int32(message.length), message]);
}
