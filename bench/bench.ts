import { cpus, totalmem } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { textTable } from '../core/text/text-table.ts';
import { startBenchEngines } from './engines.ts';
import type { BenchContext, Target, TargetResult } from './target.ts';
import { coldStart } from './targets/cold-start.ts';
import { historyFile } from './targets/history-file.ts';
import { indexCpu } from './targets/index-cpu.ts';
import { indexPath } from './targets/index-path.ts';
import { indexShape } from './targets/index-shape.ts';
import { ingest } from './targets/ingest.ts';
import { lake } from './targets/lake.ts';
import { latency } from './targets/latency.ts';
import { replay } from './targets/replay.ts';
import { scale } from './targets/scale.ts';
import { twoYears } from './targets/two-years.ts';

const TARGETS: Record<string, Target> = {
  'index-path': indexPath,
  'index-cpu': indexCpu,
  'index-shape': indexShape,
  ingest,
  replay,
  latency,
  'cold-start': coldStart,
  'two-years': twoYears,
  'history-file': historyFile,
  lake,
  scale,
};

interface BenchFlags {
  rounds: number;
  only?: string[];
  json?: boolean;
}

const flags = new Command('npm run bench --')
  .description(
    'Measures the pipeline on real local services, against yardsticks on the same machine in the same run.',
  )
  .option('--rounds <n>', 'measured rounds of each target', roundCount, 5)
  .addOption(new Option('--only <targets...>', 'run only these targets').choices(Object.keys(TARGETS)))
  .option('--json', 'print one JSON object')
  .parse()
  .opts<BenchFlags>();

// The functions print their metrics, but stdout belongs to the benchmark.
const toStdout = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;
const say = (text: string) => void process.stderr.write(`${text}\n`);

const engines = await startBenchEngines();
try {
  const { openSearch, urls, folder, jdk } = engines;
  const context: BenchContext = { openSearch, urls, rounds: flags.rounds, folder, say };
  const results: TargetResult[] = [];
  for (const name of flags.only ?? Object.keys(TARGETS)) {
    say(`— ${name}`);
    results.push(...((await TARGETS[name]?.(context)) ?? []));
  }
  const { body: server } = await context.openSearch.info();
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    jdk: jdk.major,
    openSearch: server.version.number,
    date: new Date().toISOString(),
  };
  if (flags.json) toStdout(`${JSON.stringify({ targets: results, machine })}\n`);
  else print(results, machine);
  process.exitCode = results.every(({ met }) => met) ? 0 : 1;
} finally {
  await engines.stop();
}
process.exit();

function roundCount(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new InvalidArgumentError('expected a whole number of rounds, at least 1.');
  }
  return rounds;
}

function print(results: readonly TargetResult[], machine: Record<string, unknown>): void {
  const table = textTable(
    ['target', 'median', 'min', 'max', 'goal', '', 'figures'],
    results.map(({ name, value, spread, unit, target, met, note }) => {
      const figure = (number: number) => `${number.toPrecision(3)} ${unit}`;
      return [name, figure(value), figure(spread.min), figure(spread.max), target, met ? '✔' : '✖', note];
    }),
  );
  toStdout(
    `${table}\n\n${Object.entries(machine)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ')}\n`,
  );
}
