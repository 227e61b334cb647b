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

describe('anyFreePort', () => {
  it('never returns the same port twice, bound or not', async () => {
    const ports = await Promise.all(Array.from({ length: 500 }, anyFreePort));
    expect(new Set(ports).size).toBe(500);
  });
});

describe('choosePort', () => {
  it('returns the usual port if it is free', async () => {
    const usual = await anyFreePort();
    expect(await choosePort({ ...who, usual })).toBe(usual);
  });

  it('returns another port if the usual one is taken', async () => {
    const port = await choosePort({ ...who, usual: taken });
    expect(port).not.toBe(taken);
    expect(port).toBeGreaterThan(0);
  });

  it('prefers the requested port to the usual one', async () => {
    const [usual, asked] = [await anyFreePort(), await anyFreePort()];
    expect(await choosePort({ ...who, usual, requested: asked })).toBe(asked);
  });

  it('rejects a requested port that is taken, naming port, engine and option', async () => {
    const choice = choosePort({ ...who, usual: await anyFreePort(), requested: taken });
    await expect(choice).rejects.toThrow(PortTakenError);
    await expect(choice).rejects.toThrow(
      new RegExp(`Port ${taken}, requested for Kafka, is taken.*--kafka-port`),
    );
  });

  it('detects a server that listens on all addresses', async () => {
    const everywhere = createServer().listen(0, '0.0.0.0');
    await once(everywhere, 'listening');
    const asked = (everywhere.address() as { port: number }).port;
    await expect(choosePort({ ...who, usual: asked, requested: asked })).rejects.toThrow(PortTakenError);
    everywhere.close();
  });
});
