import { once } from 'node:events';
import { connect } from 'node:net';
import { ENGINES, SERVICES, type ServiceName, type ServiceUrls } from '../engines/engines.ts';
import type { PipelineOptions } from './options.ts';
import { ServiceUnavailableError } from './resources.ts';

/** Where the containers of compose.yaml listen. */
export const COMPOSE_SERVERS: ServiceUrls = {
  kafka: '127.0.0.1:9092',
  openSearch: 'http://127.0.0.1:9200',
  s3: 'http://127.0.0.1:9000',
};

/** OpenSearch Dashboards, which only compose.yaml starts. */
export const COMPOSE_DASHBOARDS = 'http://127.0.0.1:5601';

/**
 * Makes sure that something listens at each address, instead of waiting for containers that nobody has started.
 * @throws ServiceUnavailableError naming every service that does not answer
 */
export async function requireServers(servers: PipelineOptions['servers']): Promise<void> {
  const silent: string[] = [];
  const ask = async (service: ServiceName) => {
    for (const [, host = '', port] of (servers[service] ?? '').matchAll(/([^/@:,]+):(\d+)(?=,|\/|$)/g)) {
      const reason = await whySilent(host, Number(port));
      if (reason !== undefined) silent.push(`${ENGINES[service].title} at ${host}:${port} (${reason})`);
    }
  };
  await Promise.all(SERVICES.map(ask));
  if (silent.length === 0) return;
  throw new ServiceUnavailableError(
    `--compose uses the containers of compose.yaml, but nothing answers for ${silent.toSorted().join(', ')}. ` +
      'Start them with "docker compose up --wait" (or "podman compose up -d"), or omit --compose to have engines started.',
  );
}

async function whySilent(host: string, port: number): Promise<string | undefined> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.destroy();
  }
}
