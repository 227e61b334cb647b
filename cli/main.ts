import { Command } from 'commander';
import { PROGRAM_NAME } from './command.ts';

/** The commands. Each is loaded only when it runs: together they take a second. */
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<{ command: Command }> }>> = {
  start: { summary: 'run the pipeline on this machine', load: () => import('./commands/start.ts') },
  reset: { summary: 'delete its data', load: () => import('./commands/reset.ts') },
  insights: { summary: 'answer questions about prices', load: () => import('./commands/insights.ts') },
  report: { summary: 'write the report page as a file', load: () => import('./commands/report.ts') },
  dashboards: { summary: 'export or import the dashboards', load: () => import('./commands/dashboards.ts') },
  doctor: { summary: 'check every part of the pipeline', load: () => import('./commands/doctor.ts') },
  verify: { summary: 'compare lake and index', load: () => import('./commands/verify.ts') },
  replay: { summary: 'index tickers again from the lake', load: () => import('./commands/replay.ts') },
  redrive: { summary: 'index dead letters again', load: () => import('./commands/redrive.ts') },
  backfill: { summary: 'load recorded candles', load: () => import('./commands/backfill.ts') },
  summarise: { summary: 'make candles and moves from ticks', load: () => import('./commands/summarise.ts') },
  rebuild: { summary: 'make candles and moves from the lake', load: () => import('./commands/rebuild.ts') },
  probe: { summary: 'poll an exchange once, store nothing', load: () => import('./commands/probe.ts') },
  metrics: {
    summary: 'show the metrics of the local functions',
    load: () => import('./commands/metrics.ts'),
  },
  licences: { summary: 'check the licences of dependencies', load: () => import('./commands/licences.ts') },
};

const named = process.argv[2];
const program = new Command(PROGRAM_NAME).description(
  'The commands behind "npm start" and "npm run <command>".',
);
for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
  program.addCommand((name === named ? (await load()).command : new Command(name)).summary(summary));
}
await program.parseAsync();
