import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type EngineName, jarListFile, readJarList } from '../../../../local/engines/jar-list.ts';
import { anyFreePort } from '../../../../local/engines/ports.ts';
import { COMPOSE_DASHBOARDS, COMPOSE_SERVERS, requireServers } from '../../../../local/pipeline/compose.ts';
import { ServiceUnavailableError } from '../../../../local/pipeline/resources.ts';

const read = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../../../${path}`, import.meta.url)), 'utf8');

interface Service {
  image: string;
  ports: string[];
}
const compose = parse(read('compose.yaml')) as { services: Record<string, Service> };

describe('compose.yaml', () => {
  const { $schema: _, ...schema } = JSON.parse(read('test/fixtures/compose-spec/compose-spec.json'));
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);

  it('is valid by the Compose Specification, which refuses what it does not know', () => {
    expect(validate(compose), JSON.stringify(validate.errors)).toBe(true);
    const mistaken = structuredClone(compose);
    Object.assign(mistaken.services.kafka as Service, { port: ['9092'] });
    expect(validate(mistaken)).toBe(false);
  });

  it('publishes the ports that --compose takes, on 127.0.0.1 only', () => {
    const published = Object.fromEntries(
      Object.entries(compose.services).map(([name, { ports }]) => [
        name,
        ports.map((port) => port.replace(/:\d+$/, '')),
      ]),
    );
    const address = (url: string) => [url.replace('http://', '')];
    expect(published).toEqual({
      kafka: address(COMPOSE_SERVERS.kafka),
      opensearch: address(COMPOSE_SERVERS.openSearch),
      s3: address(COMPOSE_SERVERS.s3),
      dashboards: address(COMPOSE_DASHBOARDS),
    });
  });

  it.each([
    ['kafka', 'kafka', 'kafka_2.13'],
    ['opensearch', 'opensearch', 'opensearch'],
    ['dashboards', 'opensearch', 'opensearch'],
    ['s3', 's3', 's3proxy'],
  ] as const)(
    'runs %s in the version that npm start runs without containers',
    async (service, engine, artifact) => {
      const jars = await readJarList(jarListFile(engine as EngineName));
      const version = jars.find(({ artifactId }) => artifactId === artifact)?.version;
      expect(compose.services[service]?.image.split(':')[1]).toBe(version);
    },
  );
});

describe('requireServers', () => {
  it('accepts servers that listen, and names each that does not', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const all = {
      kafka: `127.0.0.1:${port}`,
      openSearch: `http://127.0.0.1:${port}`,
      s3: `http://127.0.0.1:${port}`,
    };
    await requireServers(all);
    const [one, other] = [await anyFreePort(), await anyFreePort()];
    const half = { ...all, openSearch: `http://127.0.0.1:${one}`, s3: `http://127.0.0.1:${other}` };
    const error = await requireServers(half).catch((failure: unknown) => failure);
    server.close();
    expect(error).toBeInstanceOf(ServiceUnavailableError);
    const { message } = error as Error;
    expect(message).toContain(
      `OpenSearch at 127.0.0.1:${one} (ECONNREFUSED), S3 server at 127.0.0.1:${other}`,
    );
    expect(message).toContain('docker compose up --wait');
    expect(message).not.toContain('Kafka at');
  });
});
