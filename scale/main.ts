import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { wholeNumber } from '../cli/options.ts';
import { runCommand } from '../cli/run-command.ts';
import { textTable } from '../core/text/text-table.ts';
import { type StageSettings, stageConfig } from '../lib/config/stages.ts';
import { writeScaleDocuments } from './documents.ts';
import { type Estimate, estimateOf, fitted } from './estimate.ts';
import { figuresOf, readFigureFile } from './figures.ts';
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

const program = new Command('npm run scale --')
  .description(
    'What a stage needs for its exchanges, how near that comes to each limit and which setting moves it, and the dollars of a month. Computed from measured figures (scale/figures.json), dated prices (scale/prices.ts) and the templates of the stage; nothing is asked of AWS.',
  )
  .option('--stage <name>', 'dev, prod, or one of your own with --settings', 'dev')
  .addOption(
    new Option(
      '--exchanges <n>',
      'as many exchanges, each like the first source (default: the sources)',
    ).argParser(wholeNumber(1)),
  )
  .addOption(
    new Option('--tickers-per-exchange <n>', 'tickers in one poll (default: about those of Bybit)').argParser(
      wholeNumber(1),
    ),
  )
  .addOption(
    new Option('--every-minutes <n>', 'minutes between two polls (default: the source’s)').argParser(
      wholeNumber(1),
    ),
  )
  .option('--settings <file>', 'settings laid over the stage’s, as for -c settings=FILE of cdk deploy')
  .option('--fit', 'raise the settings until no limit is near, and print them')
  .option('--json', 'everything as one JSON object')
  .option('--write-docs', 'write the tables of docs/scale.md and docs/cost.md again, and nothing else')
  .addHelpText(
    'after',
    `
Exit codes: 0 no limit is exceeded, 1 one is, 2 it could not be computed.

Examples:
  npm run scale
  npm run scale -- --stage prod --exchanges 10
  npm run scale -- --stage prod --exchanges 100 --fit
  npm run scale -- --stage dev --tickers-per-exchange 300 --every-minutes 5`,
  );

function readSettings(file: string | undefined): StageSettings {
  if (file === undefined) return {};
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as StageSettings;
  } catch (cause) {
    throw new Error(`The settings in ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function table(rows: Rows, leftColumns: readonly number[]): string {
  const [head = [], ...body] = rows;
  const text = textTable([...head]);
  text.options.colAligns = head.map((_, column) => (leftColumns.includes(column) ? 'left' : 'right'));
  for (const row of body) text.push([...row]);
  return text.toString();
}

function print({ config, demand, headroom, cost }: Estimate, settings: StageSettings | undefined): void {
  const title = `Stage ${config.stage}, ${demand.sources} exchange(s), a month of 730 h in ${PRICES_REGION}, prices of ${PRICES_DATE}`;
  const parts = [
    title,
    table(demandRows(demand), [0]),
    table(headroomRows(headroom), [0, 1, 5]),
    table(costRows(cost), [0, 1]),
    'Docs: docs/scale.md, docs/cost.md. Prices are list prices; check them with https://calculator.aws.',
  ];
  if (settings)
    parts.splice(1, 0, `Settings that this takes (-c settings=FILE):\n${JSON.stringify(settings)}`);
  process.stdout.write(`${parts.join('\n\n')}\n`);
}

const flags = program.parse().opts<ScaleFlags>();
process.exitCode = await runCommand(async () => {
  if (flags.writeDocs) {
    for (const file of writeScaleDocuments()) process.stdout.write(`✔ ${file}\n`);
    return 0;
  }
  const stage = stageConfig(flags.stage, readSettings(flags.settings));
  const config =
    flags.exchanges === undefined && flags.everyMinutes === undefined
      ? stage
      : withSources(stage, flags.exchanges ?? stage.sources.length, flags.everyMinutes);
  const figures = {
    ...figuresOf(readFigureFile()),
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
});
