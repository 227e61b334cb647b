import type { Engine } from './engine.ts';
import { startKafka } from './kafka.ts';
import { startOpenSearch } from './opensearch.ts';
import { startS3 } from './s3.ts';

/** The engines by the service that each provides. */
export const ENGINES = {
  kafka: { name: 'kafka', title: 'Apache Kafka', start: startKafka },
  openSearch: { name: 'opensearch', title: 'OpenSearch', start: startOpenSearch },
  s3: { name: 's3', title: 'S3 server', start: startS3 },
} as const;

export type ServiceName = keyof typeof ENGINES;
export const SERVICES = Object.keys(ENGINES) as ServiceName[];

/** Where the services listen: Kafka at `host:port,host:port`, the others at a URL. */
export type ServiceUrls = Record<ServiceName, string>;

export type Engines = Partial<Record<ServiceName, Engine>>;

/** Starts engines side by side. If one fails, the others are stopped before this rejects with its error. */
export async function startEngines(
  services: readonly ServiceName[],
  start: (engine: (typeof ENGINES)[ServiceName]) => Promise<Engine>,
): Promise<Engines> {
  const engines: Engines = {};
  const starts = services.map(async (service) => {
    engines[service] = await start(ENGINES[service]);
  });
  const failure = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected');
  if (failure?.status === 'rejected') {
    await stopEngines(engines);
    throw failure.reason;
  }
  return engines;
}

export async function stopEngines(engines: Engines): Promise<void> {
  await Promise.all(Object.values(engines).map((engine) => engine.stop()));
}

/** The address of each service, "" where `addressOf` knows none. */
export function serviceUrls(addressOf: (service: ServiceName) => string | undefined): ServiceUrls {
  const entries = SERVICES.map((service) => [service, addressOf(service) ?? '']);
  return Object.fromEntries(entries) as ServiceUrls;
}
