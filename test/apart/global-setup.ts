import type { TestProject } from 'vitest/node';
import { startRun } from '../integration/global-setup.ts';

/** Each file has its own topics, groups and buckets, so that they can run side by side; none needs OpenSearch. */
export default (project: TestProject) => startRun(project, ['kafka', 's3']);
