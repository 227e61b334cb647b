import { type Command, Option } from 'commander';
import { askedWindow, type Question, questionSchema } from '../../core/insights/question.ts';
import { CATEGORIES } from '../../core/market/series.ts';
import { isoWindow } from '../../core/market/window.ts';
import { csvText } from '../../core/text/csv.ts';
import { formatTime } from '../../core/text/format.ts';
import type { InsightsEvent, InsightsResponse } from '../../lambdas/insights/handler.ts';
import { createCommand, perform } from '../command.ts';
import { answerRows, answerTable } from '../insights/answer-views.ts';
import { QUESTIONS } from '../insights/questions.ts';
import { note, print } from '../print.ts';
import { type TargetFlags, withTarget, withTargetOptions } from '../targets/choose.ts';
import type { Target } from '../targets/target.ts';

interface QuestionFlags extends TargetFlags {
  exchange?: string;
  category?: string;
  over?: string;
  from?: string;
  to?: string;
  at?: string;
  engine: 'opensearch' | 'lake';
  json?: boolean;
  csv?: boolean;
  threshold?: number[];
  percents?: number[];
  top?: number;
  minCoverage?: number;
  minTurnover?: number;
  includeEnded?: boolean;
  horizon?: string[];
  by?: string;
  fromCandles?: boolean;
}

type QuestionName = Question['question'];

const SYMBOL =
  'a symbol (BTCUSDT), a whole series (bybit:linear:BTCUSDT), or a currency (BTC): its series with the most turnover, whatever the quote currency';

const EXIT_CODES = `Times are UTC. \`now\` (on one machine, the clock of the market replay) is printed with each answer; with --json and --csv, on
stderr. Exit codes: 0 answered, 1 there is no answer (the error suggests what to ask instead), 2 bad usage, or the question
could not be asked.`;

const help = `Examples:
  npm run insights -- average BTCUSD --over 90d
  npm run insights -- moves BTCUSD --threshold 1,5,10 --over 30d --json
  npm run insights -- volatile --top 5
  npm run insights -- profile BTCUSD            everything about one currency
  npm run insights -- average BTCUSD --exchange archive --at 2022-01-01 --over 2y
  npm run insights -- average BTCUSD --over 90d --engine lake    from the lake alone, also while OpenSearch is down
  npm run insights -- average --help            the question's options, and the fields of its JSON

${EXIT_CODES}`;

export const command = createCommand('insights', 'Answers questions about prices and their moves.', { help });
for (const question of Object.keys(QUESTIONS) as QuestionName[]) addQuestion(question);

function addQuestion(question: QuestionName): void {
  const { description, argument, options, examples, fields } = QUESTIONS[question];
  const asked: Command = command
    .command(question)
    .description(description)
    .option('--exchange <name>', 'only this exchange; "archive" is included only if named')
    .addOption(new Option('--category <name>', 'only this market').choices(CATEGORIES))
    .addOption(
      new Option('--engine <name>', "what answers: OpenSearch, or DuckDB on the lake's Parquet files")
        .choices(['opensearch', 'lake'])
        .default('opensearch'),
    )
    .addOption(new Option('--json', 'print the answer as one JSON object').conflicts('csv'))
    .option('--csv', 'print the answer as CSV');
  if (argument) asked.argument(argument, SYMBOL);
  for (const option of options) asked.addOption(option);
  const lines = examples.map((example) => `  npm run insights -- ${example}`).join('\n');
  withTargetOptions(asked)
    .addHelpText('after', `\nJSON: ${fields}\n\nExamples:\n${lines}\n\n${EXIT_CODES}`)
    .action(
      perform((signal, ...args: unknown[]) => {
        const flags = args.at(-2) as QuestionFlags; // commander ends the arguments with flags and command
        return ask(question, argument ? (args[0] as string | string[]) : undefined, flags, signal);
      }),
    );
}

function ask(
  question: QuestionName,
  argument: string | string[] | undefined,
  asked: QuestionFlags,
  signal: AbortSignal,
): Promise<number> {
  const { exchange, category, over, from, to, at, json, csv, ...rest } = asked;
  const {
    threshold,
    horizon,
    percents,
    by,
    fromCandles,
    top,
    minCoverage,
    minTurnover,
    includeEnded,
    engine,
    ...flags
  } = rest;
  const symbols = Array.isArray(argument) ? { symbols: argument } : { symbol: argument };
  const window = { over, from, to, at };
  const details = { thresholds: threshold, horizons: horizon, percents, by, fromCandles };
  const ranking = { top, minCoverage, minTurnover, includeEnded };
  const given = { exchange, category, ...symbols, ...window, ...details, ...ranking };
  // The function refuses fields that a question does not have.
  const fields = Object.entries(given).filter(([, value]) => value !== undefined);
  return withTarget(flags, [engine === 'lake' ? 's3' : 'openSearch'], signal, async (target) => {
    const event = { question, ...Object.fromEntries(fields), now: target.now.toISOString() } as InsightsEvent;
    const { response, coverage } =
      engine === 'lake'
        ? await askLake(target, event, flags.folder, signal)
        : { response: (await target.invoke('insights', event)) as InsightsResponse };
    if (response.kind !== 'answer') {
      note(`✖ ${response.message}`, ...(coverage ? [lakeNote(coverage)] : []));
      return response.kind === 'noAnswer' ? 1 : 2;
    }
    const now = `now: ${formatTime(response.now)} (${target.title})`;
    const notes = [now, ...(coverage ? [lakeNote(coverage)] : [])];
    if (json || csv) note(...notes);
    if (json) print(JSON.stringify({ ...response.answer, ...(coverage ? { lakeUntil: coverage } : {}) }));
    else if (csv) process.stdout.write(csvText(answerRows(question, response.answer)));
    else print(answerTable(question, response.answer), '', ...askedNote(event, response), ...notes);
    return 0;
  });
}

/** The answer, and how far the lake's data for it reaches. */
async function askLake(
  target: Target,
  event: InsightsEvent,
  folder: string,
  signal: AbortSignal,
): Promise<{ response: InsightsResponse; coverage: Record<string, string> }> {
  const { withLakeEngine } = await import('../lake/lake-engine.ts'); // DuckDB takes a moment to load
  return withLakeEngine(target, folder, signal, async (lake) => {
    const response = await lake.respond(event);
    const series = response.kind === 'answer' ? seriesIn(response.answer) : [];
    return { response, coverage: await lake.coveredUntil(series) };
  });
}

/** The series that an answer is about. */
function seriesIn(answer: object): string[] {
  const { series } = answer as { series: string | (string | { series: string })[] };
  return [series].flat().map((each) => (typeof each === 'string' ? each : each.series));
}

function lakeNote(coverage: Record<string, string>): string {
  const until = Object.entries(coverage).map(([market, end]) => `${market} until ${formatTime(end)}`);
  return until.length === 0
    ? 'from the lake\'s Parquet files; "npm run compact" makes them of the days that are over'
    : `from the lake's Parquet files, which have ${until.join(', ')}`;
}

/** Says so if whole hours were answered instead of the window that was asked for. */
function askedNote(event: InsightsEvent, response: { now: string; answer: object }): string[] {
  const { now: _, ...asked } = event;
  const question = questionSchema.parse(asked);
  if (question.question === 'series' || !('from' in response.answer && 'to' in response.answer)) return [];
  const { from, to } = isoWindow(askedWindow(question, Date.parse(response.now)));
  if (from === response.answer.from && to === response.answer.to) return [];
  return [`asked: ${formatTime(from)} to ${formatTime(to)}, answered in whole hours`];
}
