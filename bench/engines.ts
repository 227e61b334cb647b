import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@opensearch-project/opensearch';
import { ensureArtifacts } from '../local/engines/artifacts.ts';
import {
  SERVICES,
  type ServiceUrls,
  serviceUrls,
  startEngines,
  stopEngines,
} from '../local/engines/engines.ts';
import { findJdk, type Jdk } from '../local/engines/jdk.ts';
import { anyFreePort } from '../local/engines/ports.ts';
import { INDEX_SETTINGS } from '../local/pipeline/resources.ts';
import { createOpenSearch } from '../stores/opensearch/client.ts';
import { indexTemplates } from '../stores/opensearch/index-templates.ts';

/** Fresh engines, empty except for the index templates. */
export interface BenchEngines {
  openSearch: Client;
  urls: ServiceUrls;
  jdk: Jdk;
  /** Their data; deleted when they stop. */
  folder: string;
  stop(): Promise<void>;
}

export async function startBenchEngines(): Promise<BenchEngines> {
  const folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-bench-'));
  const jdk = await findJdk();
  const jars = await ensureArtifacts({ folder: '.local/engines', jdk });
  const engines = await startEngines(SERVICES, async ({ start }) =>
    start({ jdk, jars, folder, port: await anyFreePort() }),
  );
  const stop = async () => {
    await stopEngines(engines);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const urls = serviceUrls((name) => engines[name]?.url);
    const openSearch = createOpenSearch(urls.openSearch);
    for (const [name, body] of Object.entries(indexTemplates(INDEX_SETTINGS))) {
      await openSearch.indices.putIndexTemplate({ name, body });
    }
    return { openSearch, urls, jdk, folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
