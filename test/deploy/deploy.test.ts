import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, inject } from 'vitest';
import { theAlarms } from './alarm-story.ts';
import { destruction, updates } from './changes.ts';
import { commands } from './commands.ts';
import { dataPath } from './data-path.ts';
import { everyRole } from './every-role.ts';
import { firstDeployment } from './first-deployment.ts';
import { onlyWhatIsAllowed } from './iam.ts';
import { lakeWalls } from './lake-walls.ts';
import { startLocalAws } from './local-aws.ts';
import { mustNot } from './must-not.ts';
import { mustNotOnKafka } from './secure-kafka/must-not.ts';
import { Stage } from './stage.ts';

/*
 * The whole app, deployed with the CDK's own command line to a local AWS endpoint, with real Kafka and real
 * OpenSearch behind it. docs/aws.md says what of it is real and what is only recorded.
 */

/** Kept after the run: the output of the CDK and MiniStack. */
const logs = fileURLToPath(new URL('../../.local/logs/test-deploy', import.meta.url));
const cleanups = new AsyncDisposableStack();
let shared: Stage;
const stage = () => shared;

beforeAll(async () => {
  rmSync(logs, { recursive: true, force: true });
  mkdirSync(logs, { recursive: true });
  const folder = inject('runFolder');
  const local = await startLocalAws({ artifactsFolder: inject('artifactsFolder'), folder, logs }, cleanups);
  shared = new Stage(local, folder);
});

afterAll(() => cleanups.disposeAsync());

// One story: each test continues where the one before stopped, and after a failure none runs.
let failed = false;
beforeEach(({ skip }) => {
  if (failed) skip();
});
afterEach(({ task }) => {
  failed ||= task.result?.state === 'fail';
});

describe('the app', () => {
  firstDeployment(stage);
  dataPath(stage);
  describe('the functions, each signed in as its own role,', () => everyRole(stage));
  describe('of what is not its own,', () => mustNot(stage));
  describe('alarms', () => theAlarms(stage));
  commands(stage);
  updates(stage);
  describe('IAM', () => onlyWhatIsAllowed(stage));
  describe('the brokers', () => mustNotOnKafka(stage));
  // After the comparison of permissions with calls, because these calls have to be refused.
  describe('a thief with the credentials of', () => lakeWalls(stage));
  destruction(stage);
});
