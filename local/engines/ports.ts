import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** The one address that the engines listen on. */
export const LOOPBACK = '127.0.0.1';

/** The port that was asked for cannot be had. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  readonly port: number;
  readonly engine: string;

  constructor(engine: string, port: number, option: string, reason: string, cause?: unknown) {
    super(
      `Port ${port}, asked for ${engine}, ${reason}. ` +
        `Free it, choose another one with ${option}, or leave ${option} out to have a free one chosen.`,
      { cause },
    );
    this.port = port;
    this.engine = engine;
  }
}

export interface PortWish {
  /** Who wants it, for the error: "Kafka". */
  readonly engine: string;
  /** The option that sets it, for the error: "--kafka-port". */
  readonly option: string;
  /** The port that clients expect; taken when it is free. */
  readonly usual: number;
  /** The port that a user insists on. */
  readonly asked?: number | undefined;
}

/**
 * A port on 127.0.0.1: the asked one, else the usual one if it is free, else any free one. Between this answer
 * and the bind somebody else may take it; whoever binds has to look.
 *
 * @throws {PortTakenError} the asked port is in use, or this user may not bind it
 */
export async function choosePort(wish: PortWish): Promise<number> {
  if (wish.asked === undefined) {
    return (await whyNotFree(wish.usual)) === undefined ? wish.usual : anyFreePort();
  }
  const obstacle = await whyNotFree(wish.asked);
  if (obstacle)
    throw new PortTakenError(wish.engine, wish.asked, wish.option, obstacle.reason, obstacle.cause);
  return wish.asked;
}

/** What was given away: until it is bound, the system takes it for free, and may choose it again. */
const given = new Set<number>();

/** Any port that is free on 127.0.0.1 right now, and that this process was not given before. */
export async function anyFreePort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen({ port: 0, host: LOOPBACK, exclusive: true });
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port number');
  return address.port;
}

interface Obstacle {
  readonly reason: string;
  readonly cause?: unknown;
}

async function whyNotFree(port: number): Promise<Obstacle | undefined> {
  // Binding alone would miss a server on all addresses where the system allows a second, narrower bind (macOS).
  if (await somebodyListens(port)) return { reason: 'is taken: another process listens on it' };
  const server = createServer().listen({ port, host: LOOPBACK, exclusive: true });
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE') return { reason: 'is taken by another process', cause: error };
    if (code === 'EACCES')
      return { reason: 'may not be bound by this user (permission denied)', cause: error };
    throw error;
  }
  server.close();
  await once(server, 'close');
  return undefined;
}

async function somebodyListens(port: number): Promise<boolean> {
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
