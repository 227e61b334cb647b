import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anyFreePort, choosePort, PortTakenError } from '../../../../local/engines/ports.ts';

let server: Server;
let taken: number;

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  taken = (server.address() as { port: number }).port;
});

afterEach(() => {
  server.close();
});

const who = { engine: 'Kafka', option: '--kafka-port' };

describe('choosePort', () => {
  it('that is free is given once only, though nobody has bound it yet', async () => {
    const ports = await Promise.all(Array.from({ length: 500 }, anyFreePort));
    expect(new Set(ports).size).toBe(500);
  });

  it('gives the usual port when it is free', async () => {
    const usual = await anyFreePort();
    expect(await choosePort({ ...who, usual })).toBe(usual);
  });

  it('gives another port when the usual one is taken', async () => {
    const port = await choosePort({ ...who, usual: taken });
    expect(port).not.toBe(taken);
    expect(port).toBeGreaterThan(0);
  });

  it('gives the asked port, not the usual one', async () => {
    const [usual, asked] = [await anyFreePort(), await anyFreePort()];
    expect(await choosePort({ ...who, usual, requested: asked })).toBe(asked);
  });

  it('refuses an asked port that is taken, and names port, engine and option', async () => {
    const choice = choosePort({ ...who, usual: await anyFreePort(), requested: taken });
    await expect(choice).rejects.toThrow(PortTakenError);
    await expect(choice).rejects.toThrow(
      new RegExp(`Port ${taken}, requested for Kafka, is taken.*--kafka-port`),
    );
  });

  it('sees a server that listens on all addresses', async () => {
    const everywhere = createServer().listen(0, '0.0.0.0');
    await once(everywhere, 'listening');
    const asked = (everywhere.address() as { port: number }).port;
    await expect(choosePort({ ...who, usual: asked, requested: asked })).rejects.toThrow(PortTakenError);
    everywhere.close();
  });
});
