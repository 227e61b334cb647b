import { Command } from 'commander';
import { PROGRAM_NAME } from './command.ts';

const SUMMARIES: Readonly<Record<string, string>> = {
  start: 'run the pipeline on this machine',
  demo: 'show an outage that heals',
  reset: 'delete its data',
  insights: 'answer questions about prices',
  sql: 'answer SQL over the lake',
  report: 'write the report page as a file',
  dashboards: 'export or import the dashboards',
  preflight: 'check an AWS account before a deployment',
  rotate: 'change a password of OpenSearch',
  doctor: 'check every part of the pipeline',
  verify: 'compare lake and index',
  gaps: 'list hours without data, and fill them',
  replay: 'index tickers again from the lake',
  redrive: 'index dead letters again',
  backfill: 'load recorded candles',
  restore: 'bring back what was deleted from the lake',
  summarise: 'make candles and moves from ticks',
  rebuild: 'make candles and moves from the lake',
  compact: 'make Parquet files from the lake',
  reindex: 'rebuild indices of tickers from the lake',
  probe: 'poll an exchange once, store nothing',
  metrics: 'show the metrics of the local functions',
  schemas: 'compare the published schemas with the code',
  licences: 'check the licences of dependencies',
};

/** Loads a command. Only the one that runs is loaded: together they take a second. */
async function load(name: string): Promise<Command> {
  const { command } = (await import(`./commands/${name}.ts`)) as { command: Command };
  return command;
}

const named = process.argv[2];
const program = new Command(PROGRAM_NAME).description('The commands behind "npm start" and "npm run".');
for (const [name, summary] of Object.entries(SUMMARIES)) {
  program.addCommand((name === named ? await load(name) : new Command(name)).summary(summary));
}
await program.parseAsync();
