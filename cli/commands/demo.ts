import { ensureArtifacts } from '../../local/engines/artifacts.ts';
import type { Engine } from '../../local/engines/engine.ts';
import { findJdk } from '../../local/engines/jdk.ts';
import { startOpenSearch } from '../../local/engines/opensearch.ts';
import { type Pipeline, startPipeline } from '../../local/pipeline/pipeline.ts';
import { addIndexed, emptyProgress } from '../../local/pipeline/progress.ts';
import { runPolls } from '../../local/pipeline/run.ts';
import { createCommand, perform } from '../command.ts';
import { wholeNumber, withFolderOption } from '../options.ts';
import { print } from '../print.ts';
import { createNarrator } from '../start/narrator.ts';

interface DemoFlags {
  pause: number;
  folder: string;
}

const POLL_INTERVAL_MS = 500;
const POLLS_WITH_INDEX = 6;
const POLLS_WITHOUT_INDEX = 10;

const help = `It uses the data of "npm start", which must not be running, and leaves it complete.

Examples:
  npm run demo
  npm run demo -- --pause 10   more time to read`;

export const command = withFolderOption(
  createCommand(
    'demo',
    'Shows in two minutes: polls, an answer, an outage of OpenSearch that heals by itself, and that nothing was lost.',
    { help, failureCode: 1 },
  ),
)
  .option('--pause <seconds>', 'time to read each step', wholeNumber(0), 5)
  .action(perform(demo, 1));

async function demo(stopped: AbortSignal, flags: DemoFlags): Promise<number> {
  const cleanups = new AsyncDisposableStack();
  try {
    await show(stopped, flags, cleanups);
    return 0;
  } finally {
    await cleanups.disposeAsync();
  }
}

async function show(
  stopped: AbortSignal,
  { folder, pause }: DemoFlags,
  cleanups: AsyncDisposableStack,
): Promise<void> {
  const broken = new AbortController();
  const signal = AbortSignal.any([stopped, broken.signal]);
  const narrator = createNarrator({ folder, pauseMs: pause * 1_000, signal });
  let isKilled = false;
  let restarted: Engine | undefined;

  await narrator.chapter('Start', 'Kafka, OpenSearch, an S3 server, and the functions that run on AWS.');
  cleanups.defer(async () => restarted?.stop());
  const progress = emptyProgress();
  const pipeline = await startPipeline(
    { folder, sources: 'replay', intervalMs: POLL_INTERVAL_MS, servers: {}, ports: {} },
    {
      step: narrator.step,
      signal,
      onIndexed: (response) => addIndexed(progress, response),
      onEngineDied: (error) => {
        if (!isKilled) broken.abort(error);
      },
    },
  );
  cleanups.defer(() => pipeline.close());
  const pollsEnd = new AbortController();
  const pollSignal = AbortSignal.any([signal, pollsEnd.signal]);
  const options = { pipeline, progress, intervalMs: POLL_INTERVAL_MS, onChange: () => {} };
  const polling = runPolls({ ...options, signal: pollSignal }).then(
    () => pollsEnd.abort(new Error('The replay has ended. "npm run reset" starts it again.')),
    (error) => broken.abort(error),
  );

  await narrator.chapter(
    'Polls',
    'Each poll of the market, a replay of 2018, goes to the lake first, then through Kafka into OpenSearch.',
  );
  await narrator.untilPolled(pipeline, POLLS_WITH_INDEX, pollSignal);

  await narrator.chapter(
    'An answer',
    'From OpenSearch. docs/definitions.md says how each number is defined.',
  );
  await narrator.run('insights', 'moves', 'BTCUSD', '--over', '90d');

  await narrator.chapter(
    'OpenSearch fails',
    'It is killed. Polls continue: the lake has them, and they wait in Kafka for the index.',
  );
  isKilled = true;
  process.kill(pipeline.endpoints.pids.opensearch as number, 'SIGKILL');
  await narrator.untilPolled(pipeline, POLLS_WITHOUT_INDEX, pollSignal);

  await narrator.chapter('OpenSearch is back', 'Nothing needs repair: what is waiting is indexed now.');
  restarted = await narrator.step('OpenSearch', () => startAgain(pipeline, folder, signal));
  await narrator.untilIndexed(pipeline, signal);
  pollsEnd.abort();
  await polling;
  signal.throwIfAborted();

  await narrator.chapter('Was anything lost?', 'The lake and the index are compared, ticker by ticker.');
  await narrator.run('verify');
  print('\nThat was all. "npm start" continues from here until Ctrl-C.');
}

/** Starts it again on the same port, with the same data. */
async function startAgain({ endpoints }: Pipeline, folder: string, signal: AbortSignal): Promise<Engine> {
  const jdk = await findJdk();
  const jars = await ensureArtifacts({ folder: `${folder}/engines`, jdk, signal });
  return startOpenSearch({ jdk, jars, folder, port: Number(new URL(endpoints.openSearch).port), signal });
}
