import { Command, InvalidArgumentError, Option } from 'commander';
import { CATEGORIES, type Category } from '../core/market/series.ts';
import { hourOf, parseDuration } from '../core/market/time.ts';
import type { BackfillOutput } from '../core/operate/backfill/backfill.ts';
import type { OperationEvent } from '../core/operate/operation.ts';
import { formatCount } from '../core/text/format.ts';
import { CANDLE_CATEGORIES, whyNoCandles } from '../exchanges/http/candle-source.ts';
import type { CandlesOutput } from '../lambdas/candles-ccxt/handler.ts';
import { handOverPart, handOverRows } from '../local/market-replay/hand-over.ts';
import { type CandleHistory, readCandleHistory } from '../local/market-replay/history.ts';
import { progressBar, runOperation } from './operate.ts';
import { httpUrl, instant } from './options.ts';
import { runCommand } from './run-command.ts';
import { type Target, type TargetFlags, withTarget, withTargetOptions } from './target.ts';

interface BackfillFlags extends TargetFlags {
  file?: string;
  step?: 'hourly' | 'daily';
  exchange: string;
  category: Category;
  symbols?: string[];
  from?: string;
  to?: string;
  sourceUrl?: string;
  json?: boolean;
}

const program = withTargetOptions(
  new Command('npm run backfill --')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .description(
      'Writes recorded candles, and the moves that follow from them: hourly ones fetched from an exchange, or hourly or daily ones of a file. So questions about the past have an answer on the first day. Where the ticks of an hour hold at least half of its polls, they stand. What was fetched or read is kept in the lake, too. Waits for a summarise or a rebuild that is under way. A fetch that was stopped or killed goes on where it was.',
    )
    .requiredOption(
      '--exchange <name>',
      `whose prices they are; to fetch: ${Object.keys(CANDLE_CATEGORIES).join(', ')}, or ccxt:<id> for any other`,
    )
    .addOption(
      new Option('--category <name>', 'the market they are of').choices(CATEGORIES).makeOptionMandatory(),
    )
    .addOption(new Option('--symbols <list>', 'what to fetch, separated by commas').argParser(symbolList))
    .addOption(
      new Option(
        '--from <time>',
        'fetch from then on: a time (UTC), or so long ago, e.g. 90d or 2y',
      ).argParser(instantOrAgo),
    )
    .addOption(
      new Option('--to <time>', 'fetch until then (default: the hour that is not closed)').argParser(
        instantOrAgo,
      ),
    )
    .addOption(
      new Option('--source-url <url>', 'fetch from a server that speaks the exchange’s API').argParser(
        httpUrl,
      ),
    )
    .addOption(
      new Option(
        '--file <path>',
        'read a CSV file (.gz: gzip): start,symbol,open,high,low,close,volume',
      ).conflicts(['symbols', 'from', 'to', 'sourceUrl']),
    )
    .addOption(
      new Option('--step <step>', 'what a row of the file covers (default: found out)').choices([
        'hourly',
        'daily',
      ]),
    )
    .option('--json', 'the result as one JSON object'),
).addHelpText(
  'after',
  `
Rows of a file may be in any order; start is ISO 8601 in UTC, prices are above 0. A broken row is an error that names
its line, and nothing of the file is written.

Exit codes: 0 done, 2 it could not be done (an option, a row of the file, the exchange, a store).

To fetch, symbols are spelled as the exchange's tickers are: BTCUSDT (bybit, binance), BTC-USDT or BTC-USDT-SWAP (okx),
XXBTZUSD (kraken), BTC-USD (coinbase). There is history of
${categoriesText()}
  ccxt:<id>   whatever ccxt can fetch of that exchange
Kraken gives its last 720 hours only; what was asked for before that is told as a note.

With --json: {read, candles, moves}: candles that the exchange or the file holds, those of them that were new or changed,
moves written; of a fetch also {hours, notes}: hours asked for, and what could not be had, where that is the case. All
numbers are of this run.

Examples:
  npm run backfill -- --exchange bybit --category linear --symbols BTCUSDT,ETHUSDT --from 2y
  npm run backfill -- --exchange bybit --category spot --symbols BTCUSDT --from 2024-01-01 --to 2025-01-01 --stage dev
  npm run backfill -- --exchange okx --category linear --symbols BTC-USDT-SWAP --from 90d
  npm run backfill -- --exchange ccxt:gate --category spot --symbols BTC_USDT --from 90d
  npm run backfill -- --file prices.csv.gz --exchange tiingo --category spot`,
);

function categoriesText(): string {
  const lines = Object.entries(CANDLE_CATEGORIES).map(
    ([name, categories]) => `  ${name.padEnd(10)}  ${categories.join(', ')}`,
  );
  return lines.join('\n');
}

function symbolList(text: string): string[] {
  const symbols = [...new Set(text.split(',').map((symbol) => symbol.trim()))].filter(
    (symbol) => symbol !== '',
  );
  if (symbols.length === 0) throw new InvalidArgumentError('expected symbols such as BTCUSDT,ETHUSDT.');
  return symbols;
}

/** Whole hours, so that the same command of the same hour is the same work. */
function instantOrAgo(text: string): string {
  if (!/^\d+[a-z]$/i.test(text)) return instant(text);
  try {
    return new Date(hourOf(Date.now() - parseDuration(text))).toISOString();
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** The exchange lives by the clock on the wall, whatever the replay's says. */
function closedHour(): string {
  return new Date(hourOf(Date.now())).toISOString();
}

function sumOf(slices: readonly BackfillOutput[]): BackfillOutput {
  const sum = (count: (slice: BackfillOutput) => number) =>
    slices.reduce((all, each) => all + count(each), 0);
  const notes = [...new Set(slices.flatMap((slice) => slice.notes ?? []))];
  return {
    read: sum(({ read }) => read),
    candles: sum(({ candles }) => candles),
    moves: sum(({ moves }) => moves),
    hours: sum(({ hours = 0 }) => hours),
    ...(notes.length > 0 ? { notes } : {}),
  };
}

/** The id of an exchange in ccxt, where it is one to be fetched through it. */
function ccxtIdOf(exchange: string): string | undefined {
  return /^ccxt:([a-z0-9]{2,40})$/.exec(exchange)?.[1];
}

async function fetchCandles(
  target: Target,
  flags: BackfillFlags,
  signal: AbortSignal,
): Promise<BackfillOutput> {
  const { exchange, category, symbols, from, to, sourceUrl, folder } = flags;
  const closed = closedHour();
  const wanted = {
    category,
    symbols,
    from,
    to: to === undefined || to > closed ? closed : to,
    baseUrl: sourceUrl,
  };
  const ccxtId = ccxtIdOf(exchange);
  if (ccxtId !== undefined) return fetchThroughCcxt(target, { ...wanted, exchange: ccxtId }, folder, signal);
  const slices = await runOperation<BackfillOutput>(
    target,
    'backfill',
    { kind: 'fetch', exchange, ...wanted },
    { folder, signal, resumable: true },
  );
  return sumOf(slices);
}

/** The function with ccxt fetches, the operate function writes: what was fetched goes through this command. */
async function fetchThroughCcxt(
  target: Target,
  input: { exchange: string; category: Category } & Record<string, unknown>,
  folder: string,
  signal: AbortSignal,
): Promise<BackfillOutput> {
  const { exchange, category } = input;
  const written: BackfillOutput[] = [];
  await runOperation<CandlesOutput>(target, 'backfill', input, {
    folder,
    signal,
    resumable: true,
    functionName: 'candles-ccxt',
    async onOutput({ series, hours, notes }, isLast) {
      const part = {
        kind: 'rows' as const,
        exchange,
        category,
        hours: 1 as const,
        series,
        makeMoves: isLast,
      };
      const done = await handOverPart(part, { invoke: invokeOperate(target), signal });
      written.push({ ...done, hours, notes });
    },
  });
  return sumOf(written);
}

function invokeOperate(target: Target) {
  return (event: OperationEvent) => target.invoke('operate', { ...event, sliceMs: target.sliceMs });
}

async function readFile(
  target: Target,
  { exchange, category }: BackfillFlags,
  { hours, rows }: CandleHistory,
  signal: AbortSignal,
): Promise<BackfillOutput> {
  const bar = progressBar('backfill');
  try {
    return await handOverRows(
      { exchange, category, hours, rows },
      {
        invoke: invokeOperate(target),
        onProgress: (done, total) => bar.show({ done, total, unit: 'candles' }),
        signal,
      },
    );
  } finally {
    bar.stop();
  }
}

const flags = program.parse().opts<BackfillFlags>();
if (flags.file === undefined && (flags.symbols === undefined || flags.from === undefined)) {
  program.error('error: name --symbols and --from to fetch, or --file to read', { exitCode: 2 });
}
const refusal =
  flags.file === undefined && !ccxtIdOf(flags.exchange) && whyNoCandles(flags.exchange, flags.category);
if (refusal) program.error(`error: ${refusal}`, { exitCode: 2 });
const { folder, stage, kafka, opensearch, s3 } = flags;
process.exit(
  await runCommand(async (signal) => {
    // Before anything is started: nothing of a broken file is written.
    const history =
      flags.file === undefined
        ? undefined
        : await readCandleHistory(flags.file, flags.step && (flags.step === 'daily' ? 24 : 1));
    const named = {
      folder,
      ...(stage ? { stage } : {}),
      ...(kafka ? { kafka } : {}),
      ...(opensearch ? { opensearch } : {}),
      ...(s3 ? { s3 } : {}),
    };
    return withTarget(named, ['openSearch', 's3'], signal, async (target) => {
      const result = history
        ? await readFile(target, flags, history, signal)
        : await fetchCandles(target, flags, signal);
      const { read, candles, moves, hours, notes = [] } = result;
      for (const note of notes) process.stderr.write(`! ${note}\n`);
      const text = `✔ ${formatCount(read)} candles of ${flags.exchange} read${hours === undefined ? '' : ` (of ${formatCount(hours)} hours)`}, ${formatCount(candles)} of them new or changed; ${formatCount(moves)} moves written.`;
      process.stdout.write(`${flags.json ? JSON.stringify(result) : text}\n`);
      return 0;
    });
  }),
);
