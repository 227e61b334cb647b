import type { TestProject } from 'vitest/node';
import { startRun } from '../integration/global-setup.ts';

/** The deployment starts engines of its own, which refuse what AWS would refuse. */
export default (project: TestProject) => startRun(project, []);
