import { Command, InvalidArgumentError } from 'commander';
import { textTable } from '../core/text/text-table.ts';
import { readSettings, type StageSettings } from '../lib/config/settings.ts';
import { stageConfigByName } from '../lib/config/stages.ts';
import { writeScaleDocuments } from './documents.ts';
import { type Estimate, estimateOf, fitted } from './estimate.ts';
import { FIGURE_VALUES } from './figures.ts';
import { inventoryOf } from './inventory.ts';
import { PRICES_DATE, PRICES_REGION } from './prices.ts';
import { costRows, demandRows, headroomRows, type Rows } from './tables.ts';
import { withSources } from './workload.ts';

interface ScaleFlags {
  stage: string;
  exchanges?: number;
  tickersPerExchange?: number;
  everyMinutes?: number;
  settings?: string;
  fit?: boolean;
  json?: boolean;
  writeDocs?: boolean;
}

export const command = new Command('npm run scale --')
  .description(
    "Estimates what a stage needs for its exchanges, how close that comes to each limit, which setting raises it, and the monthly cost. Computed from measured figures (scale/figures.json), dated prices (scale/prices.ts) and the stage's templates; nothing is asked of AWS.",
  )
  .option('--stage <name>', 'dev, prod, or your own with --settings', 'dev')
  .option(
    '--exchanges <n>',
    "number of exchanges, each like the first source (default: the stage's sources)",
    wholeNumber,
  )
  .option(
    '--tickers-per-exchange <n>',
    'tickers in one poll (default: about as many as Bybit has)',
    wholeNumber,
  )
  .option('--every-minutes <n>', "minutes between two polls (default: the source's)", wholeNumber)
  .option('--settings <file>', "settings that override the stage's, as in cdk deploy -c settings=FILE")
  .option('--fit', 'raise settings until no limit is near, and print them')
  .option('--json', 'print one JSON object')
  .option(
    '--write-docs',
    'only update the tables in README.md, docs/scale.md and docs/cost.md, and the picture of the growth',
  )
  .addHelpText(
    'after',
    `
Exit codes: 0 no limit is exceeded, 1 a limit is exceeded, 2 the estimate failed.

Examples:
  npm run scale
  npm run scale -- --stage prod --exchanges 10
  npm run scale -- --stage prod --exchanges 100 --fit
  npm run scale -- --stage dev --tickers-per-exchange 300 --every-minutes 5`,
  )
  .action(async (flags: ScaleFlags) => {
    try {
      process.exitCode = await estimate(flags);
    } catch (error) {
      process.stderr.write(`✖ ${(error as Error).message}\n`);
      process.exitCode = 2;
    }
  });

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new InvalidArgumentError('expected a whole number from 1 on.');
  return value;
}

function table(rows: Rows, leftColumns: readonly number[]): string {
  const [head = [], ...body] = rows;
  return textTable(head, body, leftColumns);
}

function print({ config, demand, headroom, cost }: Estimate, settings: StageSettings | undefined): void {
  const title = `Stage ${config.stage}, ${demand.sources} exchange(s), a month of 730 h in ${PRICES_REGION}, prices of ${PRICES_DATE}`;
  const parts = [
    title,
    table(demandRows(demand), [0]),
    table(headroomRows(headroom), [0, 1, 5]),
    table(costRows(cost), [0, 1]),
    'Docs: docs/scale.md, docs/cost.md. These are list prices; check them with https://calculator.aws.',
  ];
  if (settings) parts.splice(1, 0, `Required settings (-c settings=FILE):\n${JSON.stringify(settings)}`);
  process.stdout.write(`${parts.join('\n\n')}\n`);
}

/** @returns the exit code */
async function estimate(flags: ScaleFlags): Promise<number> {
  if (flags.writeDocs) {
    for (const file of await writeScaleDocuments()) process.stdout.write(`✔ ${file}\n`);
    return 0;
  }
  const stage = stageConfigByName(flags.stage, readSettings(flags.settings));
  const config =
    flags.exchanges === undefined && flags.everyMinutes === undefined
      ? stage
      : withSources(stage, flags.exchanges ?? stage.sources.length, flags.everyMinutes);
  const figures = {
    ...FIGURE_VALUES,
    ...(flags.tickersPerExchange === undefined ? {} : { tickersPerExchange: flags.tickersPerExchange }),
  };
  const inventory = inventoryOf(stage);
  const { estimate, settings } = flags.fit
    ? fitted(config, figures, inventory)
    : { estimate: estimateOf(config, figures, inventory), settings: undefined };
  if (flags.json) {
    const { config: used, ...rest } = estimate;
    process.stdout.write(`${JSON.stringify({ stage: used.stage, settings, ...rest })}\n`);
  } else print(estimate, settings);
  return estimate.headroom.some(({ state }) => state === 'over') ? 1 : 0;
}
