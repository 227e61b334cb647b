import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  DEFAULT_OVER,
  DEFAULT_PERCENTS,
  DEFAULT_THRESHOLDS,
  DEFAULT_TOP,
  type Question,
  type QuestionInput,
} from '../../core/insights/question.ts';
import { CATEGORIES, type Category } from '../../core/market/series.ts';
import { csvText } from '../../core/text/csv.ts';
import { formatTime } from '../../core/text/format.ts';
import type { InsightsEvent, InsightsResponse } from '../../lambdas/insights/handler.ts';
import { createCommand, perform } from '../command.ts';
import { answerRows, answerTable } from '../insights/answer-views.ts';
import { EXIT_CODES, FIELDS } from '../insights/help.ts';
import { duration, instant, wholeNumber } from '../options.ts';
import { note, print } from '../print.ts';
import { type TargetFlags, withTarget, withTargetOptions } from '../targets/choose.ts';

interface QuestionFlags extends TargetFlags {
  exchange?: string;
  category?: Category;
  over?: string;
  from?: string;
  to?: string;
  at?: string;
  json?: boolean;
  csv?: boolean;
  threshold?: number[];
  percents?: number[];
  top?: number;
}

const SYMBOL =
  'a symbol (BTCUSDT), a whole series (bybit:linear:BTCUSDT), or a currency (BTC): its series with the most turnover';

const help = `Examples:
  npm run insights -- average BTCUSD --over 90d
  npm run insights -- moves BTCUSD --threshold 1,5,10 --over 30d --json
  npm run insights -- volatile --top 5
  npm run insights -- average BTCUSD --exchange archive --at 2022-01-01 --over 2y
  npm run insights -- average --help            the question's options, and the fields of its JSON

${EXIT_CODES}`;

export const command = createCommand('insights', 'Answers questions about prices and their moves.', { help });

/** The command of a question, with the options that all questions share. */
function questionCommand(question: Question['question'], description: string, examples: string[]): Command {
  const lines = examples.map((example) => `  npm run insights -- ${example}`).join('\n');
  const asked = command
    .command(question)
    .description(description)
    .addHelpText('after', `\n${FIELDS[question]}\n\nExamples:\n${lines}\n\n${EXIT_CODES}`)
    .option('--exchange <name>', 'only this exchange; "archive" is included only if named')
    .addOption(new Option('--category <name>', 'only this market').choices(CATEGORIES))
    .addOption(new Option('--json', 'print the answer as one JSON object').conflicts('csv'))
    .option('--csv', 'print the answer as CSV');
  if (question !== 'series') {
    asked
      .option(
        '--over <duration>',
        `length of the window: 30m, 24h, 90d, 2w, 1y … (default: ${DEFAULT_OVER[question]})`,
        duration,
      )
      .option('--from <time>', 'start of the window, UTC', instant)
      .option('--to <time>', 'end of the window (exclusive), UTC', instant)
      .option('--at <time>', 'as of this time instead of now, UTC', instant);
  }
  return withTargetOptions(asked);
}

/** A list of numbers, separated by commas. */
function numbers(expected: string, isValid: (value: number) => boolean, scale = '') {
  return (text: string): number[] =>
    text.split(',').map((part) => {
      // The scale is part of the decimal text: 7 / 100 is not the number nearest to 7 %, 7e-2 is.
      const value = /^\d+(\.\d+)?$/.test(part.trim()) ? Number(`${part.trim()}${scale}`) : Number.NaN;
      if (!isValid(value)) throw new InvalidArgumentError(`expected ${expected}.`);
      return value;
    });
}

const thresholdOption = () =>
  new Option('--threshold <percents>', 'sizes of moves in %')
    .argParser(numbers('percentages above 0 such as 1,5,10', (value) => value > 0, 'e-2'))
    .default(DEFAULT_THRESHOLDS, DEFAULT_THRESHOLDS.map((threshold) => threshold * 100).join(','));
const percentsOption = () =>
  new Option('--percents <list>', 'which percentiles')
    .argParser(numbers('numbers from 0 to 100 such as 5,50,95', (value) => value >= 0 && value <= 100))
    .default(DEFAULT_PERCENTS, DEFAULT_PERCENTS.join(','));
const topOption = () =>
  new Option('--top <n>', 'how many series').argParser(wholeNumber(1)).default(DEFAULT_TOP);

questionCommand('average', 'The average price over a window, and its range.', [
  'average BTCUSD --over 90d',
  'average BTCUSD --from 2018-01-01 --to 2018-07-01 --json',
  'average BTCUSD --exchange archive --at 2022-01-01 --over 2y',
])
  .argument('<symbol>', SYMBOL)
  .action(asks((_, symbol: string) => ({ question: 'average', symbol })));

questionCommand('moves', 'How often and how far the price rose and fell.', [
  'moves BTCUSD --threshold 1,5,10 --over 90d',
  'moves BTCUSD --threshold 2.5 --from 2018-01-01 --to 2018-07-01 --json',
])
  .argument('<symbol>', SYMBOL)
  .addOption(thresholdOption())
  .action(asks(({ threshold: thresholds }, symbol: string) => ({ question: 'moves', symbol, thresholds })));

questionCommand('percentiles', 'Percentiles of the 24 h change.', [
  'percentiles BTCUSD --over 7d',
  'percentiles --top 20 --percents 5,50,95',
])
  .argument('[symbol]', SYMBOL)
  .addOption(topOption())
  .addOption(percentsOption())
  .action(asks(({ top, percents }, symbol?: string) => ({ question: 'percentiles', symbol, top, percents })));

questionCommand('volatile', 'The most volatile series.', [
  'volatile --top 5 --over 7d',
  'volatile --category linear --over 1y --json',
])
  .addOption(topOption())
  .action(asks(({ top }) => ({ question: 'volatile', top })));

questionCommand('compare', 'Average, moves, volatility and percentiles side by side.', [
  'compare BTCUSD ETHUSD XRPUSD --over 30d',
])
  .argument('<symbols...>', SYMBOL)
  .addOption(thresholdOption())
  .addOption(percentsOption())
  .action(
    asks(({ threshold: thresholds, percents }, symbols: string[]) => ({
      question: 'compare',
      symbols,
      thresholds,
      percents,
    })),
  );

questionCommand('series', 'Which series there are, and from when to when.', [
  'series',
  'series --exchange archive --csv',
]).action(asks(() => ({ question: 'series' })));

/** An action that asks the question made from the flags and the argument, if the question takes one. */
function asks<Argument>(questionOf: (flags: QuestionFlags, argument: Argument) => QuestionInput) {
  return perform((signal, ...args: unknown[]) => {
    const flags = args.at(-2) as QuestionFlags; // commander's arguments end with flags and command
    return ask(questionOf(flags, args[0] as Argument), flags, signal);
  });
}

function ask(question: QuestionInput, flags: QuestionFlags, signal: AbortSignal): Promise<number> {
  const { exchange, category, over, from, to, at, json, csv } = flags;
  return withTarget(flags, ['openSearch'], signal, async (target) => {
    const event = {
      ...question,
      exchange,
      category,
      ...(question.question === 'series' ? {} : { over, from, to, at }),
      now: target.now.toISOString(),
    } as InsightsEvent;
    const response = (await target.invoke('insights', event)) as InsightsResponse;
    if (response.kind !== 'answer') {
      note(`✖ ${response.message}`);
      return response.kind === 'noAnswer' ? 1 : 2;
    }
    const now = `now: ${formatTime(response.now)} (${target.title})`;
    if (json || csv) note(now);
    if (json) print(JSON.stringify(response.answer));
    else if (csv) process.stdout.write(csvText(answerRows(question.question, response.answer)));
    else print(answerTable(question.question, response.answer), '', now);
    return 0;
  });
}
