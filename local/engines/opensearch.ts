import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Engine, type StartOptions, startEngine, writeConfig } from './engine.ts';
import { LOOPBACK } from './ports.ts';

export interface OpenSearchOptions extends StartOptions {
  /** @default 1024 */
  readonly heapMb?: number;
}

const LOG4J = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
`;

/**
 * OpenSearch as one node with its data in `data/opensearch`; no security plugin, so plain HTTP without a password.
 *
 * @throws {PortTakenError} {EngineStartError}
 */
export async function startOpenSearch(options: OpenSearchOptions): Promise<Engine> {
  const folder = resolve(options.folder);
  const home = join(folder, 'config', 'opensearch');
  const heapMb = options.heapMb ?? 1024;
  return startEngine(
    {
      name: 'opensearch',
      title: 'OpenSearch',
      usualPort: 9200,
      portOption: '--opensearch-port',
      url: (port) => `http://${LOOPBACK}:${port}`,
      async prepare({ port, internalPort }) {
        await mkdir(join(folder, 'data', 'opensearch'), { recursive: true });
        await writeConfig(join(home, 'config', 'log4j2.properties'), LOG4J);
        await writeConfig(
          join(home, 'config', 'opensearch.yml'),
          yaml({
            'cluster.name': 'crypto-market-insights',
            'node.name': 'local',
            'network.host': LOOPBACK,
            'http.port': port,
            'transport.port': internalPort,
            'discovery.type': 'single-node',
            'path.data': join(folder, 'data', 'opensearch'),
            'path.logs': join(folder, 'logs'),
            // A laptop's disk is often over 90 % full; OpenSearch would make its indices read-only.
            'cluster.routing.allocation.disk.threshold_enabled': false,
          }),
        );
        return [
          `-Xms${heapMb}m`,
          `-Xmx${heapMb}m`,
          // What its own distribution sets: G1 with a reserve, early marking.
          '-XX:+UseG1GC',
          '-XX:G1ReservePercent=25',
          '-XX:InitiatingHeapOccupancyPercent=30',
          '-XX:-OmitStackTraceInFastThrow',
          '-XX:+ExitOnOutOfMemoryError',
          '--enable-native-access=ALL-UNNAMED',
          // Or the logging ends before the node does, and the end of its log is lost.
          '-Dlog4j.shutdownHookEnabled=false',
          '-Dlog4j2.disable.jmx=true',
          '-Dfile.encoding=UTF-8',
          '-cp',
          `${join(options.jars.opensearch, '*')}:${join(options.jars.opensearch, 'launcher')}`,
          'OpenSearchNode',
          home,
        ];
      },
      async isReady(port, signal) {
        // Yellow: every primary shard has recovered from the last run, so nothing answers half.
        const health = `http://${LOOPBACK}:${port}/_cluster/health?wait_for_status=yellow&timeout=1s`;
        const response = await fetch(health, { signal });
        if (!response.ok) return false;
        const body = (await response.json()) as { cluster_name?: string; timed_out?: boolean };
        return body.cluster_name === 'crypto-market-insights' && body.timed_out === false;
      },
    },
    options,
  );
}

function yaml(settings: Readonly<Record<string, string | number | boolean>>): string {
  // A JSON string is a YAML string, whatever is in the path.
  return Object.entries(settings)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');
}
