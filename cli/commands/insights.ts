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

interface QuestionFlags extends TargetFlags {
  exchange?: string;
  category?: string;
  over?: string;
  from?: string;
  to?: string;
  at?: string;
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
    ...flags
  } = rest;
  const symbols = Array.isArray(argument) ? { symbols: argument } : { symbol: argument };
  const window = { over, from, to, at };
  const details = { thresholds: threshold, horizons: horizon, percents, by, fromCandles };
  const ranking = { top, minCoverage, minTurnover, includeEnded };
  const given = { exchange, category, ...symbols, ...window, ...details, ...ranking };
  // The function refuses fields that a question does not have.
  const fields = Object.entries(given).filter(([, value]) => value !== undefined);
  return withTarget(flags, ['openSearch'], signal, async (target) => {
    const event = { question, ...Object.fromEntries(fields), now: target.now.toISOString() } as InsightsEvent;
    const response = (await target.invoke('insights', event)) as InsightsResponse;
    if (response.kind !== 'answer') {
      note(`✖ ${response.message}`);
      return response.kind === 'noAnswer' ? 1 : 2;
    }
    const now = `now: ${formatTime(response.now)} (${target.title})`;
    if (json || csv) note(now);
    if (json) print(JSON.stringify(response.answer));
    else if (csv) process.stdout.write(csvText(answerRows(question, response.answer)));
    else print(answerTable(question, response.answer), '', ...askedNote(event, response), now);
    return 0;
  });
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
