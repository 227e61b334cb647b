import './node-version.js';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Tests start some hundred Node processes, which load the same modules: what V8 has compiled is kept for the next.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('.local/compile-cache', import.meta.url));

/** Tests on the real services: one Kafka, one OpenSearch and one S3 server for all files, on two cores. */
const onRealServices = {
  globalSetup: ['test/integration/global-setup.ts'],
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 120_000,
};

/**
 * Modules are loaded by Node itself, as in production, without a compiler of vitest's in between. Not for tests that need
 * `vi.resetModules`, which Node cannot do.
 */
const loadedByNode = { experimental: { viteModuleRunner: false, nodeLoader: false } };

/** A folder for a report of each run in JSON. */
const { TEST_REPORTS } = process.env;

export default defineConfig({
  test: {
    // By default a worker less than there are cores, which on two leaves one idle while a test waits.
    maxWorkers: '100%',
    reporters: TEST_REPORTS
      ? ['default', ['json', { outputFile: `${TEST_REPORTS}/${process.pid}.json` }]]
      : ['default'],
    projects: [
      // A busy machine makes property tests and started commands slow; none of them measures time.
      {
        test: {
          name: 'unit',
          ...loadedByNode,
          include: ['test/unit/**/*.test.ts'],
          // A process for each of so many files takes longer than what they test. Each leaves nothing behind.
          isolate: false,
          setupFiles: ['test/unit/properties.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'infra',
          ...loadedByNode,
          include: ['test/infra/**/*.test.ts'],
          // They change nothing that another file sees, and aws-cdk-lib takes seconds to load.
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'referees',
          ...loadedByNode,
          include: ['test/referees/**/*.test.ts'],
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'apart',
          ...loadedByNode,
          include: ['test/apart/**/*.test.ts'],
          globalSetup: ['test/apart/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...onRealServices } },
      { test: { name: 'faults', include: ['test/faults/**/*.test.ts'], ...onRealServices } },
      { test: { name: 'pages', include: ['test/pages/**/*.test.ts'], ...onRealServices } },
      {
        test: {
          name: 'deploy',
          include: ['test/deploy/**/*.test.ts'],
          globalSetup: ['test/deploy/global-setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
