import { Command, Option } from 'commander';
import { type Pipeline, type PipelineOptions, startPipeline } from '../local/pipeline/pipeline.ts';
import { localNow } from '../local/pipeline/replay-clock.ts';
import { addIndexed, emptyProgress, type Progress, runPolls } from '../local/pipeline/run.ts';
import { samplingIntervalsIn } from '../local/pipeline/sampling-intervals.ts';
import { type ReportServer, startReportServer } from '../report/server.ts';
import { closingReport, printReport } from './closing-report.ts';
import { createDisplay, type Display } from './display.ts';
import { folderOption, hostAndPort, httpUrl, portNumber, wholeNumber } from './options.ts';
import { pollView } from './poll-view.ts';
import { type NamedSource, namedSource, SOURCE_NAMES } from './source-option.ts';

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
  kafkaPort?: number;
  opensearchPort?: number;
  s3Port?: number;
  sourcePort?: number;
  folder: string;
}

/** The market replay's pace: as fast as polls finish, but no faster than this. */
const REPLAY_INTERVAL_MS = 50;
/** The pace on AWS. */
const WALL_CLOCK_INTERVAL_MS = 120_000;

const program = new Command('npm start --')
  .description(
    'Runs the whole pipeline on this machine: real Kafka, OpenSearch and S3 server, and the Lambda handlers that run on AWS. Tickers come from a replay of recorded prices (2018) unless another source is named.',
  )
  .addOption(
    new Option('--polls <n>', 'stop after so many polls are indexed, and report').argParser(wholeNumber(1)),
  )
  .addOption(
    new Option(
      '--interval <ms>',
      'time between polls (replay: 50 at least, as fast as polls finish; else 120000)',
    ).argParser(wholeNumber(1)),
  )
  .option('--json', 'with --polls: the closing report as one JSON object, the last line of stdout')
  .addOption(new Option('--live', 'poll the exchange itself').conflicts('sourceUrl'))
  .addOption(
    new Option('--source-url <url>', 'poll a server that speaks the API of the source').argParser(httpUrl),
  )
  .addOption(
    new Option(
      '--source <name[=url]>',
      `poll this exchange, at that URL or its own; may be given several times: ${SOURCE_NAMES} (default with --live and --source-url: bybit)`,
    )
      .argParser((text: string, before: NamedSource[]) => [...before, namedSource(text)])
      .default([], 'none'),
  )
  .addOption(new Option('--kafka <host:port>', 'use a Kafka that is there already').argParser(hostAndPort))
  .addOption(new Option('--opensearch <url>', 'use an OpenSearch that is there already').argParser(httpUrl))
  .addOption(new Option('--s3 <url>', 'use an S3 server that is there already').argParser(httpUrl))
  .addOption(new Option('--kafka-port <port>', 'insist on a port').argParser(portNumber))
  .addOption(new Option('--opensearch-port <port>', 'insist on a port').argParser(portNumber))
  .addOption(new Option('--s3-port <port>', 'insist on a port').argParser(portNumber))
  .addOption(
    new Option('--source-port <port>', 'insist on a port for the market replay').argParser(portNumber),
  )
  .addOption(folderOption)
  .addHelpText(
    'after',
    `
Examples:
  npm start                                   the market replay, until Ctrl-C
  npm start -- --polls 200 --json             200 polls, then the closing report as JSON
  npm start -- --live                         Bybit itself, every 2 minutes
  npm start -- --source-url http://127.0.0.1:8080 --interval 1000
  npm start -- --source binance --source okx=http://127.0.0.1:8081
  npm start -- --kafka 127.0.0.1:9092         with a Kafka that runs already`,
  );

/** The sources that were named; none is the market replay. */
function sourcesOf({ source: named, live, sourceUrl }: StartFlags): PipelineOptions['sources'] {
  if (named.length === 0 && !live && sourceUrl === undefined) return 'replay';
  const sources = named.length > 0 ? named : [namedSource('bybit')];
  const markets = sources.flatMap(({ config }) =>
    config.categories.map((each) => `${config.exchange} ${each}`),
  );
  const shared = markets.find((market, position) => markets.indexOf(market) !== position);
  if (shared)
    program.error(`error: two sources poll ${shared}, and would write the same objects of the lake.`);
  return sources.map(({ config, url }) => ({ config, url: url ?? sourceUrl }));
}

function pipelineOptions(flags: StartFlags): PipelineOptions {
  const sources = sourcesOf(flags);
  return {
    folder: flags.folder,
    sources,
    intervalMs: flags.interval ?? (sources === 'replay' ? REPLAY_INTERVAL_MS : WALL_CLOCK_INTERVAL_MS),
    servers: { kafka: flags.kafka, openSearch: flags.opensearch, s3: flags.s3 },
    ports: {
      kafka: flags.kafkaPort,
      opensearch: flags.opensearchPort,
      s3: flags.s3Port,
      source: flags.sourcePort,
    },
  };
}

/** Ends the run: a signal, a dead engine, anything that nobody caught. The first reason counts. */
const end = new AbortController();

/** The user asked to stop. */
class StoppedBySignal extends Error {
  override readonly name = 'StoppedBySignal';
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // A repeated signal finds the shutdown under way and changes nothing: npm and the terminal both send one.
  process.on(name, () => end.abort(new StoppedBySignal(`Stopped by ${name}`)));
}
process.on('uncaughtException', (error) => end.abort(error));
// The reader of our output went away: nobody is left to show anything to.
process.stdout.on('error', (error) => end.abort(error));

async function run(flags: StartFlags): Promise<number> {
  const startedMs = performance.now();
  const display = createDisplay(flags.json ? process.stderr : process.stdout);
  const progress = emptyProgress();
  let pipeline: Pipeline | undefined;
  let report: ReportServer | undefined;
  try {
    const options = pipelineOptions(flags);
    pipeline = await startPipeline(options, {
      step: display.step,
      signal: end.signal,
      onIndexed: (response) => addIndexed(progress, response),
      onEngineDied: (error) => end.abort(error),
    });
    const startupSeconds = {
      ...Object.fromEntries(display.stepSeconds),
      total: (performance.now() - startedMs) / 1_000,
    };
    display.print(
      `Everything is up after ${startupSeconds.total.toFixed(1)} s; ${flags.folder}/endpoints.json says where it listens.`,
    );
    report = await startReportServer({
      openSearchUrl: pipeline.endpoints.openSearch,
      now: () => localNow(flags.folder),
      samplingIntervals: samplingIntervalsIn(flags.folder),
    });
    display.print(`The report page: ${report.url}`);
    return await collect(flags, options.intervalMs, pipeline, progress, startupSeconds, display);
  } catch (error) {
    const reason = end.signal.aborted ? end.signal.reason : error;
    display.end();
    if (!(reason instanceof StoppedBySignal)) {
      process.stderr.write(`\n✖ ${reason instanceof Error ? reason.message : String(reason)}\n`);
      return 1;
    }
    display.print(`${reason.message} after ${progress.polls} polls.`);
    return flags.polls === undefined ? 0 : 130;
  } finally {
    await report?.close();
    await pipeline?.close();
    if (pipeline)
      display.print(
        `Everything is stopped. The data stays in ${flags.folder}: npm start goes on with it, npm run reset removes it.`,
      );
    display.end();
  }
}

/** Polls until told to stop; with --polls until that many are indexed, then reports. */
async function collect(
  flags: StartFlags,
  intervalMs: number,
  pipeline: Pipeline,
  progress: Progress,
  startupSeconds: Record<string, number>,
  display: Display,
): Promise<number> {
  const view = pollView({ pipeline, progress, display, polls: flags.polls });
  const { historyEnded } = await runPolls({
    pipeline,
    progress,
    intervalMs,
    polls: flags.polls,
    signal: end.signal,
    onChange: view.onChange,
  });
  await view.settled();
  end.signal.throwIfAborted();
  if (historyEnded) display.print('The recorded history ends here.');
  if (flags.polls === undefined) {
    display.print(
      'Nothing more to poll; the services stay up until Ctrl-C. "npm run reset" starts the history again.',
    );
    await new Promise((_, reject) => end.signal.addEventListener('abort', () => reject(end.signal.reason)));
  }
  const report = await closingReport(pipeline, progress, startupSeconds);
  printReport(report, display);
  if (flags.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.agree ? 0 : 1;
}

const flags = program.parse().opts<StartFlags>();
process.exit(await run(flags));
