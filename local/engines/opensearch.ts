import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LOOPBACK } from '../../core/runtime/loopback-server.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { type Engine, type StartOptions, startEngine } from './engine.ts';
import { LOG_TO_CONSOLE } from './java-properties.ts';

export interface OpenSearchOptions extends StartOptions {
  /** @default 1024 */
  readonly heapMb?: number;
}

/**
 * OpenSearch as a single node with its data in `data/opensearch`. Plain HTTP without a password: it runs without the
 * security plugin. It refuses requests of web pages (OwnNamesOnly in OpenSearchNode.java,
 * and the setting for origins).
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
      hasClassArchive: true,
      usualPort: 9200,
      portOption: '--opensearch-port',
      url: (port) => `http://${LOOPBACK}:${port}`,
      async prepare({ port, internalPort }) {
        mkdirSync(join(folder, 'data', 'opensearch'), { recursive: true });
        writeFileAtomically(join(home, 'config', 'log4j2.properties'), LOG_TO_CONSOLE);
        writeFileAtomically(
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
            // Allows no origin. Without this, OpenSearch would execute any web page's request, such as
            // closing all indices, and only hide the answer from it.
            'http.cors.enabled': true,
            // Laptop disks are often over 90 % full, where OpenSearch would make its indices read-only.
            'cluster.routing.allocation.disk.threshold_enabled': false,
          }),
        );
        return [
          `-Xms${heapMb}m`,
          `-Xmx${heapMb}m`,
          // As in OpenSearch's own distribution: G1 with a reserve, early marking.
          '-XX:+UseG1GC',
          '-XX:G1ReservePercent=25',
          '-XX:InitiatingHeapOccupancyPercent=30',
          '-XX:-OmitStackTraceInFastThrow',
          '-XX:+ExitOnOutOfMemoryError',
          '--enable-native-access=ALL-UNNAMED',
          // Otherwise logging stops before the node does, and the end of the log is lost.
          '-Dlog4j.shutdownHookEnabled=false',
          '-Dlog4j2.disable.jmx=true',
          '-Dfile.encoding=UTF-8',
          '-cp',
          `${join(options.jars.opensearch, '*')}:${join(options.jars.opensearch, 'launcher', 'launcher.jar')}`,
          'OpenSearchNode',
          home,
        ];
      },
      async isReady(port, signal) {
        // Yellow: every primary shard has recovered, so no answer is partial.
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
  // Any JSON string is a valid YAML string.
  return Object.entries(settings)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');
}
