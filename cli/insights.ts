import { Command, InvalidArgumentError, Option } from 'commander';
import {
  type Answers,
  DEFAULT_OVER,
  DEFAULT_PERCENTS,
  DEFAULT_THRESHOLDS,
  DEFAULT_TOP,
  type QuestionInput,
} from '../core/insights/question.ts';
import { CATEGORIES } from '../core/market/series.ts';
import { csvText } from '../core/text/csv.ts';
import { formatTime } from '../core/text/format.ts';
import type { InsightsEvent, InsightsResponse } from '../lambdas/insights/handler.ts';
import { ANSWER_VIEWS } from './insights-answers.ts';
import { duration, instant, wholeNumber } from './options.ts';
import { runCommand } from './run-command.ts';
import { type TargetFlags, withTarget, withTargetOptions } from './target.ts';

interface QuestionFlags extends TargetFlags {
  exchange?: string;
  category?: (typeof CATEGORIES)[number];
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

const EXIT_CODES = `
Times are UTC. \`now\` (on one machine the market replay's clock) is printed with each answer: with --json and --csv on
stderr. Exit codes: 0 answered, 1 there is no answer (the error says what could be asked instead), 2 bad usage, or the
question could not be asked.`;

const AVERAGE_FIELDS = `
JSON: {series, quote, from, to, mean, min, max, first, last, change, hours, expectedHours, coverage}
  from, to        the window as answered, ISO 8601; [from, to)
  mean            time-weighted average price: every hour with data counts once (a daily candle 24 times)
  min, max        lowest and highest price          first, last  first open and last close
  change          last / first - 1, a fraction      hours        hours with data, of expectedHours
  coverage        part of the window with data, 0 to 1
Windows of up to 48 h that come from ticks only are answered from the ticks themselves (exact edges, mean of the
samples, coverage = polls seen / polls due); others are widened to whole hours. Prices are in \`quote\`, which is left
out if it is not known.`;

const MOVES_FIELDS = `
JSON: {series, quote, from, to, samplingIntervalSeconds, thresholds: [{threshold, rises: {count, perDay, meanSize,
maxSize, last}, falls: {the same}, hoursUp, hoursDown, daysUp, daysDown}]}
  threshold       a fraction: 0.01 is 1 %
  rises, falls    directional changes confirmed in the window: the price came the threshold away from its last extreme
  meanSize        from extreme to extreme, a fraction, of the moves completed within the data; null where none is
  last            the last one: {threshold, direction, from_price, from_time, confirmed_price, confirmed_time}, and,
                  once completed, to_price, to_time, size
  hoursUp …       hours (UTC days) that closed at least the threshold above or below the close of the one before
  samplingIntervalSeconds  between two known prices: moves that reverse in between are not seen`;

const PERCENTILES_FIELDS = `
JSON: {from, to, series: [{series, samples, percentiles: {"1": …}}]}
  samples         ticks that told a 24 h change     percentiles  of price_24h_pcnt, fractions: 0.0068 is 0.68 %
Without SYMBOL: the series whose percentiles lie furthest apart.`;

const VOLATILE_FIELDS = `
JSON: {from, to, series: [{series, volatility, rangeFraction, hours, coverage, moves: [{threshold, rises, falls}]}]}
  volatility      standard deviation of the log returns between adjacent hours, annualised (× √8766), a fraction;
                  null with fewer than two returns
  rangeFraction   (highest - lowest) / lowest       hours        hours with data
  moves           of closed hours, at the stage's configured thresholds
Options take part only with --category option.`;

const COMPARE_FIELDS = `
JSON: {series: [{series, quote, average: {…}, moves: {…}, volatility, rangeFraction, percentiles: {"1": …} or null}]}
  the fields are those of the other questions; see their --help`;

const SERIES_FIELDS = `
JSON: {series: [{series, first, last, hours, coverage}]}
  first, last     starts of the first and the last hour (day, where history is daily) with data, ISO 8601
  hours           hours with data                   coverage     part of the time between them with data, 0 to 1`;

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
const topOption = () => new Option('--top <n>', 'how many').argParser(wholeNumber(1)).default(DEFAULT_TOP);

const program = new Command('npm run insights --')
  .description('Answers questions about prices and their movements.')
  // Inherited by the questions: commander's own exit code for bad usage is 1, which here means "no answer".
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .addHelpText(
    'after',
    `
Examples:
  npm run insights -- average BTCUSD --over 90d
  npm run insights -- moves BTCUSD --threshold 1,5,10 --over 30d --json
  npm run insights -- volatile --top 5
  npm run insights -- average BTCUSD --exchange archive --at 2022-01-01 --over 2y
  npm run insights -- average --help            the question's options, and the fields of its JSON
${EXIT_CODES}`,
  );

/** A question's command: what all of them take, its fields and its examples. */
function questionCommand(
  question: Question,
  description: string,
  fields: string,
  examples: string[],
): Command {
  const command = program
    .command(question)
    .description(description)
    .addOption(new Option('--exchange <name>', 'only this exchange; "archive" takes part only when named'))
    .addOption(new Option('--category <name>', 'only this market').choices(CATEGORIES))
    .addOption(new Option('--json', 'the answer as one JSON object').conflicts('csv'))
    .option('--csv', 'the answer as CSV');
  if (question !== 'series') {
    command
      .addOption(
        new Option(
          '--over <duration>',
          `how long: 30m, 24h, 90d, 2w, 1y … (default: ${DEFAULT_OVER[question]})`,
        ).argParser(duration),
      )
      .addOption(new Option('--from <time>', 'start of the window, UTC').argParser(instant))
      .addOption(
        new Option('--to <time>', 'end of the window, which is not part of it, UTC').argParser(instant),
      )
      .addOption(new Option('--at <time>', 'as of this time instead of now, UTC').argParser(instant));
  }
  const lines = examples.map((example) => `  npm run insights -- ${example}`).join('\n');
  return withTargetOptions(command).addHelpText('after', `${fields}\n\nExamples:\n${lines}\n${EXIT_CODES}`);
}

type Question = keyof Answers;

questionCommand('average', 'The average price over a window, and its range.', AVERAGE_FIELDS, [
  'average BTCUSD --over 90d',
  'average BTCUSD --from 2018-01-01 --to 2018-07-01 --json',
  'average BTCUSD --exchange archive --at 2022-01-01 --over 2y',
])
  .argument('<symbol>', SYMBOL)
  .action((symbol: string, flags: QuestionFlags) => ask({ question: 'average', symbol }, flags));

questionCommand('moves', 'How often and how far the price rose and fell.', MOVES_FIELDS, [
  'moves BTCUSD --threshold 1,5,10 --over 90d',
  'moves BTCUSD --threshold 2.5 --from 2018-01-01 --to 2018-07-01 --json',
])
  .argument('<symbol>', SYMBOL)
  .addOption(thresholdOption())
  .action((symbol: string, flags: QuestionFlags) =>
    ask({ question: 'moves', symbol, thresholds: flags.threshold }, flags),
  );

questionCommand('percentiles', 'Percentiles of the 24 h change.', PERCENTILES_FIELDS, [
  'percentiles BTCUSD --over 7d',
  'percentiles --top 20 --percents 5,50,95',
])
  .argument('[symbol]', SYMBOL)
  .addOption(topOption())
  .addOption(percentsOption())
  .action((symbol: string | undefined, { top, percents, ...flags }: QuestionFlags) =>
    ask({ question: 'percentiles', symbol, top, percents }, flags),
  );

questionCommand('volatile', 'The most volatile series.', VOLATILE_FIELDS, [
  'volatile --top 5 --over 7d',
  'volatile --category linear --over 1y --json',
])
  .addOption(topOption())
  .action((flags: QuestionFlags) => ask({ question: 'volatile', top: flags.top }, flags));

questionCommand('compare', 'Average, moves, volatility and percentiles side by side.', COMPARE_FIELDS, [
  'compare BTCUSD ETHUSD XRPUSD --over 30d',
])
  .argument('<symbols...>', SYMBOL)
  .addOption(thresholdOption())
  .addOption(percentsOption())
  .action((symbols: string[], { threshold, percents, ...flags }: QuestionFlags) =>
    ask({ question: 'compare', symbols, thresholds: threshold, percents }, flags),
  );

questionCommand('series', 'What is known: every series, from when to when.', SERIES_FIELDS, [
  'series',
  'series --exchange archive --csv',
]).action((flags: QuestionFlags) => ask({ question: 'series' }, flags));

async function ask(question: QuestionInput, flags: QuestionFlags): Promise<void> {
  const { exchange, category, over, from, to, at, json, csv } = flags;
  process.exitCode = await runCommand((signal) =>
    withTarget(flags, ['openSearch'], signal, async (target) => {
      const event = {
        ...question,
        exchange,
        category,
        ...(question.question === 'series' ? {} : { over, from, to, at }),
        now: target.now.toISOString(),
      } as InsightsEvent;
      const response = (await target.invoke('insights', event)) as InsightsResponse;
      if (response.kind !== 'answer') {
        process.stderr.write(`✖ ${response.message}\n`);
        return response.kind === 'noAnswer' ? 1 : 2;
      }
      const now = `now: ${formatTime(response.now)} (${target.title})\n`;
      if (json || csv) process.stderr.write(now);
      process.stdout.write(answerText(question.question, response.answer, { json, csv }));
      if (!json && !csv) process.stdout.write(`\n${now}`);
      return 0;
    }),
  );
}

function answerText<Q extends Question>(
  question: Q,
  answer: Answers[Question],
  { json = false, csv = false }: { json?: boolean | undefined; csv?: boolean | undefined },
): string {
  if (json) return `${JSON.stringify(answer)}\n`;
  const view = ANSWER_VIEWS[question];
  return csv ? csvText(view.rows(answer as Answers[Q])) : `${view.table(answer as Answers[Q])}\n`;
}

// The reader of our output has seen enough (`| head`).
process.stdout.on('error', () => process.exit());
await program.parseAsync();
