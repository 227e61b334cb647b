import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { LOOPBACK } from '../../core/runtime/loopback-server.ts';

/** The requested port is not available. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';

  constructor({ engine, option }: PortRequest, port: number, reason: string, cause?: unknown) {
    super(
      `Port ${port}, requested for ${engine}, ${reason}. ` +
        `Free it, choose another one with ${option}, or omit ${option} to use any free port.`,
      { cause },
    );
  }
}

export interface PortRequest {
  /** For the error: "Kafka". */
  readonly engine: string;
  /** The command-line option that sets the port, for the error: "--kafka-port". */
  readonly option: string;
  /** The port that clients expect; used if it is free. */
  readonly usual: number;
  /** The port that the user insists on. */
  readonly requested?: number | undefined;
}

/**
 * A port on 127.0.0.1: the requested one, else the usual one if it is free, else any free one. Another process may
 * still take it before it is bound.
 *
 * @throws {PortTakenError} the requested port is in use, or this user may not bind it
 */
export async function choosePort(request: PortRequest): Promise<number> {
  const { usual, requested } = request;
  if (requested === undefined) return (await whyNotFree(usual)) === undefined ? usual : anyFreePort();
  const obstacle = await whyNotFree(requested);
  if (obstacle) throw new PortTakenError(request, requested, obstacle.reason, obstacle.cause);
  return requested;
}

/** Ports handed out already: until one is bound, the system counts it as free and may return it again. */
const handedOut = new Set<number>();

/** A port that is free on 127.0.0.1 right now; never the same one twice in this process. */
export async function anyFreePort(): Promise<number> {
  for (;;) {
    const port = await bindOnce(0);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    return port;
  }
}

/** Binds a port (0: any free one), frees it again and returns its number. */
async function bindOnce(port: number): Promise<number> {
  const server = createServer().listen({ port, host: LOOPBACK, exclusive: true });
  await once(server, 'listening');
  const address = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return address.port;
}

async function whyNotFree(port: number): Promise<{ reason: string; cause?: unknown } | undefined> {
  // Binding alone would miss a server on all addresses where the system allows a second, narrower bind (macOS).
  if (await isListening(port)) return { reason: 'is taken: another process listens on it' };
  try {
    await bindOnce(port);
    return undefined;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') return { reason: 'is taken by another process', cause };
    if (code === 'EACCES') return { reason: 'may not be bound by this user (permission denied)', cause };
    throw cause;
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect({ port, host: LOOPBACK });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
