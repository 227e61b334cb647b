import type { AnswersDiffer, Engine } from '../../core/insights/agreement/ask-both.ts';
import { type Comparison, compareStep, comparisonOf } from '../../core/insights/agreement/compare-engines.ts';
import type { CoveredMarket } from '../../core/insights/covered-markets.ts';
import type { QuestionInput } from '../../core/insights/question.ts';
import { counted, formatTime } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { CursorFile, resumingLine } from '../kept-cursor.ts';
import { type LakeEngine, withLakeEngine } from '../lake/lake-engine.ts';
import { progressBar } from '../operation.ts';
import { note, print } from '../print.ts';
import { type TargetFlags, withTarget } from '../targets/choose.ts';
import type { Target } from '../targets/target.ts';

interface AnswersFlags extends TargetFlags {
  exchange?: string;
  json?: boolean;
  restart?: boolean;
}

/** What --json prints. */
interface AnswersReport {
  agree: boolean;
  /** How many questions were asked. */
  questions: number;
  compared: Comparison['compared'];
  notCompared: string[];
  differences: AnswersDiffer[];
}

interface Cursor {
  done: number;
  questions: number;
  differences: AnswersDiffer[];
}

const ROWS_SHOWN = 60;
const FIELDS_SHOWN = 3;
/** Enough to see what is wrong; the cursor carries all of them. */
const MOST_DIFFERENCES = 2_000;

/** Asks OpenSearch and the lake the same questions. @returns the exit code */
export function verifyAnswers(flags: AnswersFlags, signal: AbortSignal): Promise<number> {
  return withTarget(flags, ['openSearch', 's3'], signal, (target) =>
    withLakeEngine(target, flags.folder, signal, async (lake) => {
      const report = await compareAll(target, lake, flags, signal);
      if (flags.json) print(JSON.stringify(report));
      else print(...linesOf(report));
      return report.agree ? 0 : 1;
    }),
  );
}

async function compareAll(
  target: Target,
  lake: LakeEngine,
  { exchange, folder, restart = false }: AnswersFlags,
  signal: AbortSignal,
): Promise<AnswersReport> {
  const markets = (await target.invoke('insights', { operation: 'markets' })) as CoveredMarket[];
  const { steps, compared, notCompared } = comparisonOf(markets, await lake.markets(), exchange);
  const engines = {
    index: ((event) => target.invoke('insights', event)) as Engine,
    lake: lake.respond,
  };
  const command = { exchange, compared, steps: steps.length };
  const file = new CursorFile(folder, {
    place: await target.place(),
    operation: 'verify --answers',
    command,
  });
  if (restart) file.drop();
  const kept = file.read();
  if (kept) note(resumingLine(kept));
  const { differences, ...state } = (kept?.cursor as Cursor | undefined) ?? {
    ...{ done: 0, questions: 0 },
    differences: [],
  };
  const bar = progressBar('verify --answers');
  try {
    for (const step of steps.slice(state.done)) {
      signal.throwIfAborted();
      differences.push(...(await compareStep(engines, step)));
      state.done += 1;
      state.questions += step.questions.length;
      const progress = { done: state.done, total: steps.length, unit: 'series' };
      bar.show(progress);
      file.write({ ...state, differences }, progress);
      if (differences.length >= MOST_DIFFERENCES) {
        notCompared.push(
          `${counted(steps.length - state.done, 'series', 'series')}: there are too many differences`,
        );
        break;
      }
    }
    file.drop();
  } finally {
    bar.stop();
  }
  const agree = differences.length === 0 && state.questions > 0;
  return { agree, questions: state.questions, compared, notCompared, differences };
}

function linesOf({ agree, questions, compared, notCompared, differences }: AnswersReport): string[] {
  return [
    `${counted(questions, 'question')} to OpenSearch and to the lake.`,
    ...Object.entries(compared).map(
      ([market, { to }]) => `  ${market}: everything before ${formatTime(to)}, which both have`,
    ),
    ...notCompared.map((each) => `! ${each}`),
    ...(differences.length > 0 ? [differenceTable(differences)] : []),
    ...(differences.length > 0 ? ['  --json prints all of them.'] : []),
    agree
      ? '✔ Both give the same answers.'
      : differences.length === 0
        ? '✖ There is nothing that both have, so nothing was compared.'
        : '✖ Their answers differ. The lake is the source of truth: "npm run compact" and "npm run rebuild" make both from it again.',
  ];
}

/** The first differing fields of each question; the others mostly follow from them. */
function differenceTable(differences: readonly AnswersDiffer[]): string {
  const byQuestion = Map.groupBy(differences, ({ question }) => commandOf(question));
  const rows = [...byQuestion].flatMap(([command, ofQuestion]) => [
    ...ofQuestion
      .slice(0, FIELDS_SHOWN)
      .map(({ field, index, lake }) => [command, field, shown(index), shown(lake)]),
    ...(ofQuestion.length > FIELDS_SHOWN
      ? [[command, `… and ${counted(ofQuestion.length - FIELDS_SHOWN, 'more field')}`, '', '']]
      : []),
  ]);
  return textTable(['question', 'field', 'OpenSearch', 'lake'], rows.slice(0, ROWS_SHOWN));
}

function shown(value: unknown): string {
  return value === undefined ? '–' : JSON.stringify(value);
}

/** What to type after `npm run insights --` to ask the same. */
function commandOf({ question, ...asked }: QuestionInput): string {
  const { symbol, symbols, over, by, fromCandles, exchange, category } = asked as Record<string, unknown>;
  const options = { exchange, category, over, by };
  return [
    question,
    ...(symbol === undefined ? [] : [symbol]),
    ...((symbols as string[] | undefined) ?? []),
    ...Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value])),
    ...(fromCandles ? ['--from-candles'] : []),
  ].join(' ');
}
