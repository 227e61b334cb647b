import { Option } from 'commander';
import { COMPOSE_DASHBOARDS, COMPOSE_SERVERS, requireServers } from '../../local/pipeline/compose.ts';
import type { PipelineOptions } from '../../local/pipeline/options.ts';
import { type Pipeline, startPipeline } from '../../local/pipeline/pipeline.ts';
import { addIndexed, emptyProgress, type Progress } from '../../local/pipeline/progress.ts';
import { localNow } from '../../local/pipeline/replay-clock.ts';
import { runPolls } from '../../local/pipeline/run.ts';
import { samplingIntervalsIn } from '../../local/pipeline/sampling-intervals.ts';
import { startReportServer } from '../../report/server.ts';
import { createCommand, perform } from '../command.ts';
import { brokers, httpUrl, portNumber, wholeNumber, withFolderOption } from '../options.ts';
import { note, print } from '../print.ts';
import { StoppedBySignal } from '../run-command.ts';
import { type NamedSource, namedSource, SOURCE_NAMES } from '../source-option.ts';
import { closingReport, reportText } from '../start/closing-report.ts';
import { createDisplay, type Display } from '../start/display.ts';
import { firstAnswer, firstScreen } from '../start/first-screen.ts';
import { pollView } from '../start/poll-view.ts';

interface StartFlags {
  polls?: number;
  interval?: number;
  json?: boolean;
  live?: boolean;
  sourceUrl?: string;
  source: NamedSource[];
  kafka?: string;
  opensearch?: string;
  s3?: string;
  compose?: boolean;
  kafkaPort?: number;
  opensearchPort?: number;
  s3Port?: number;
  sourcePort?: number;
  folder: string;
}

/** The market replay polls as fast as it can, but not faster than this. */
const REPLAY_INTERVAL_MS = 50;
/** As often as on AWS. */
const WALL_CLOCK_INTERVAL_MS = 120_000;

const help = `Examples:
  npm start                                   the market replay, until Ctrl-C
  npm start -- --polls 200 --json             200 polls, then the closing report as JSON
  npm start -- --live                         Bybit itself, every 2 minutes
  npm start -- --source-url http://127.0.0.1:8080 --interval 1000
  npm start -- --source binance --source okx=http://127.0.0.1:8081
  npm start -- --kafka 127.0.0.1:9092         with a Kafka that is already running
  npm start -- --compose                      with the containers that "docker compose up --wait" has started`;

const description =
  'Runs the whole pipeline on this machine: a real Kafka, OpenSearch and S3 server, and the Lambda handlers that run on AWS. Unless you name another source, the tickers are a replay of recorded prices (2018).';

export const command = withFolderOption(createCommand('start', description, { help, failureCode: 1 }))
  .option('--polls <n>', 'stop after this many polls are indexed, and print a report', wholeNumber(1))
  .option(
    '--interval <ms>',
    'time between polls (default: 120000; replay: as fast as polls finish, 50 at least)',
    wholeNumber(1),
  )
  .option('--json', 'with --polls: print the closing report as one JSON object, the last line of stdout')
  .addOption(new Option('--live', 'poll the exchange itself').conflicts('sourceUrl'))
  .option('--source-url <url>', 'poll a server that speaks the API of the source', httpUrl)
  .addOption(
    new Option(
      '--source <name[=url]>',
      `poll this exchange, at this URL or its own; can be repeated: ${SOURCE_NAMES}`,
    )
      .argParser((text: string, before: NamedSource[]) => [...before, namedSource(text)])
      .default([], 'the market replay; with --live or --source-url, bybit'),
  )
  .option('--kafka <host:port,…>', 'use a Kafka that is already running, with these brokers', brokers)
  .option('--opensearch <url>', 'use an OpenSearch that is already running', httpUrl)
  .option('--s3 <url>', 'use an S3 server that is already running', httpUrl)
  .option('--compose', 'use the containers of compose.yaml for what is not given')
  .option('--kafka-port <port>', 'start Kafka on this port', portNumber)
  .option('--opensearch-port <port>', 'start OpenSearch on this port', portNumber)
  .option('--s3-port <port>', 'start the S3 server on this port', portNumber)
  .option('--source-port <port>', 'start the market replay on this port', portNumber)
  .action(perform(start, 1));

/** The named sources, or the market replay. */
function sourcesOf({ source: named, live, sourceUrl }: StartFlags): PipelineOptions['sources'] {
  if (named.length === 0 && !live && sourceUrl === undefined) return 'replay';
  const sources = named.length > 0 ? named : [namedSource('bybit')];
  const markets = sources.flatMap(({ config }) =>
    config.categories.map((each) => `${config.exchange} ${each}`),
  );
  const shared = markets.find((market, position) => markets.indexOf(market) !== position);
  if (shared) {
    command.error(`error: two sources poll ${shared} and would write the same objects to the lake.`);
  }
  return sources.map(({ config, url }) => ({ config, url: url ?? sourceUrl }));
}

function pipelineOptions(flags: StartFlags): PipelineOptions {
  const { folder, interval, compose, kafka, opensearch, s3 } = flags;
  const sources = sourcesOf(flags);
  const containers: PipelineOptions['servers'] = compose ? COMPOSE_SERVERS : {};
  return {
    folder,
    sources,
    intervalMs: interval ?? (sources === 'replay' ? REPLAY_INTERVAL_MS : WALL_CLOCK_INTERVAL_MS),
    servers: {
      kafka: kafka ?? containers.kafka,
      openSearch: opensearch ?? containers.openSearch,
      s3: s3 ?? containers.s3,
    },
    ports: {
      kafka: flags.kafkaPort,
      opensearch: flags.opensearchPort,
      s3: flags.s3Port,
      source: flags.sourcePort,
    },
  };
}

async function start(stopped: AbortSignal, flags: StartFlags): Promise<number> {
  // Also ends when an engine dies or an error is not caught. The first reason counts.
  const broken = new AbortController();
  process.on('uncaughtException', (error) => broken.abort(error));
  const signal = AbortSignal.any([stopped, broken.signal]);
  const options = pipelineOptions(flags);
  const display = createDisplay(flags.json ? process.stderr : process.stdout);
  const progress = emptyProgress();
  const cleanups = new AsyncDisposableStack();
  cleanups.defer(() => display.end());
  try {
    const startedMs = performance.now();
    if (flags.compose) await requireServers(options.servers);
    const pipeline = await startPipeline(options, {
      step: display.step,
      signal,
      onIndexed: (response) => addIndexed(progress, response),
      onEngineDied: (error) => broken.abort(error),
    });
    cleanups.defer(async () => {
      await pipeline.close();
      display.print(
        `Everything is stopped. The data stays in ${flags.folder}: npm start continues with it, npm run reset deletes it.`,
      );
    });
    const total = (performance.now() - startedMs) / 1_000;
    const [report, answer] = await Promise.all([
      startReportServer({
        openSearchUrl: pipeline.endpoints.openSearch,
        now: () => localNow(flags.folder),
        samplingIntervals: samplingIntervalsIn(flags.folder),
      }),
      flags.polls === undefined ? firstAnswer(pipeline) : undefined,
    ]);
    cleanups.defer(() => report.close());
    display.print(`Everything is up after ${total.toFixed(1)} s.\n`);
    if (answer) display.print(`${answer}\n`);
    const dashboardsUrl = flags.compose ? COMPOSE_DASHBOARDS : undefined;
    display.print(
      `${firstScreen(pipeline, { reportUrl: report.url, dashboardsUrl, folder: flags.folder })}\n`,
    );
    const startupSeconds = { ...Object.fromEntries(display.stepSeconds), total };
    return await collect(flags, { pipeline, progress, display, startupSeconds, signal, options });
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error;
    display.end();
    if (reason instanceof StoppedBySignal) {
      display.print(`${reason.message} after ${progress.polls} polls.`);
      return flags.polls === undefined ? 0 : 130;
    }
    note(`\n✖ ${reason instanceof Error ? reason.message : String(reason)}`);
    return 1;
  } finally {
    await cleanups.disposeAsync();
  }
}

interface Run {
  pipeline: Pipeline;
  progress: Progress;
  display: Display;
  startupSeconds: Record<string, number>;
  signal: AbortSignal;
  options: PipelineOptions;
}

/** Polls until it is stopped; with --polls, until that many are indexed, then prints the report. */
async function collect({ polls, json }: StartFlags, run: Run): Promise<number> {
  const { pipeline, progress, display, signal } = run;
  const { intervalMs } = run.options;
  const view = pollView({ pipeline, progress, display, polls });
  const { onChange } = view;
  const { historyEnded } = await runPolls({ pipeline, progress, intervalMs, polls, signal, onChange });
  await view.settled();
  signal.throwIfAborted();
  if (historyEnded) display.print('This is the end of the recorded history.');
  if (polls === undefined) {
    display.print(
      'There is nothing more to poll; the services stay up until Ctrl-C. "npm run reset" starts the history again.',
    );
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }
  const report = await closingReport(pipeline, progress, run.startupSeconds);
  display.print(`\n${reportText(report)}`);
  if (json) print(JSON.stringify(report));
  return report.agree ? 0 : 1;
}
