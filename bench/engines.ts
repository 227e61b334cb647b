import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@opensearch-project/opensearch';
import { ensureArtifacts } from '../local/engines/artifacts.ts';
import { findJdk, type Jdk } from '../local/engines/jdk.ts';
import { startKafka } from '../local/engines/kafka.ts';
import { startOpenSearch } from '../local/engines/opensearch.ts';
import { anyFreePort } from '../local/engines/ports.ts';
import { startS3 } from '../local/engines/s3.ts';
import { INDEX_SETTINGS } from '../local/pipeline/resources.ts';
import { createOpenSearch } from '../stores/opensearch/client.ts';
import { indexTemplates } from '../stores/opensearch/index-templates.ts';

/** Engines of a measurement's own, with nothing in them but the index templates. */
export interface BenchEngines {
  openSearch: Client;
  urls: { kafka: string; openSearch: string; s3: string };
  jdk: Jdk;
  /** Holds their data; removed with them. */
  folder: string;
  stop(): Promise<void>;
}

export async function startEngines(): Promise<BenchEngines> {
  const folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-bench-'));
  const jdk = await findJdk();
  const jars = await ensureArtifacts({ folder: '.local/engines', jdk });
  const engines = await Promise.all(
    [startKafka, startOpenSearch, startS3].map(async (start) =>
      start({ jdk, jars, folder, port: await anyFreePort() }),
    ),
  );
  const stop = async () => {
    await Promise.all(engines.map((engine) => engine.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [kafka, openSearchUrl, s3] = engines.map(({ url }) => url) as [string, string, string];
    const openSearch = createOpenSearch(openSearchUrl);
    for (const [name, body] of Object.entries(indexTemplates(INDEX_SETTINGS))) {
      await openSearch.indices.putIndexTemplate({ name, body });
    }
    return { openSearch, urls: { kafka, openSearch: openSearchUrl, s3 }, jdk, folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
