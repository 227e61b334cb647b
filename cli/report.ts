import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { InvalidInputError } from '../core/market/invalid-input.ts';
import { parseTime } from '../core/market/time.ts';
import { formatCount, formatTime } from '../core/text/format.ts';
import type { ReportOutput } from '../lambdas/insights/report.ts';
import { pageHtml } from '../report/html.ts';
import type { Snapshot } from '../report/protocol.ts';
import { runOperation } from './operate.ts';
import { wholeNumber } from './options.ts';
import { runCommand } from './run-command.ts';
import { type Target, type TargetFlags, withTarget, withTargetOptions } from './target.ts';

interface ReportFlags extends TargetFlags {
  out: string;
  at?: string;
  currencies: number;
  symbols?: string[];
}

const program = withTargetOptions(
  new Command('npm run report --')
    .description(
      'Writes the report page as one HTML file: all charts with their numbers inside. It needs no network to be opened.',
    )
    .option('--out <file>', 'where to', 'report.html')
    .addOption(
      new Option('--currencies <n>', 'how many can be picked in it: those with the most turnover')
        .argParser(wholeNumber(1))
        .default(8),
    )
    .addOption(
      new Option('--symbols <list>', 'these instead, e.g. BTCUSDT,ETHUSDT or archive:spot:BTCUSD').argParser(
        (text) => text.split(',').map((symbol) => symbol.trim()),
      ),
    )
    .addOption(new Option('--at <time>', 'as of another time, UTC').argParser(utcTime)),
).addHelpText(
  'after',
  `
Examples:
  npm run report                                    report.html, of the pipeline on this machine
  npm run report -- --out btc.html --symbols BTCUSD
  npm run report -- --symbols archive:spot:BTCUSD --at 2021-12-01
  npm run report -- --stage dev                     of a deployed stage
While "npm start" runs it serves the same page live; it prints the link.`,
);

function utcTime(text: string): string {
  try {
    return new Date(parseTime(text)).toISOString();
  } catch (error) {
    if (error instanceof InvalidInputError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

async function gather(target: Target, flags: ReportFlags, signal: AbortSignal): Promise<Snapshot> {
  const { folder, currencies, symbols, at } = flags;
  const asOf = at ?? target.now.toISOString();
  const input = { asOf, currencies, ...(symbols ? { symbols } : {}) };
  const slices = await runOperation<ReportOutput>(target, 'report', input, { folder, signal });
  return {
    origin: target.title,
    asOfMs: Date.parse(asOf),
    choices: slices.flatMap(({ choices }) => choices ?? []),
    summaries: Object.fromEntries(slices.flatMap(({ summaries }) => summaries)),
    answers: Object.fromEntries(slices.flatMap(({ answers }) => answers)),
  };
}

const flags = program.parse().opts<ReportFlags>();
process.exit(
  await runCommand(async (signal) => {
    const snapshot = await withTarget(flags, ['openSearch'], signal, (target) =>
      gather(target, flags, signal),
    );
    const { choices, asOfMs, origin } = snapshot;
    if (choices.length === 0) {
      const what = flags.symbols
        ? `${flags.symbols.join(', ')} there is nothing`
        : 'anything there is no data';
      process.stderr.write(
        `✖ Of ${what} on ${origin} as of ${formatTime(new Date(asOfMs).toISOString())}.\n`,
      );
      return 1;
    }
    const html = await pageHtml({ kind: 'file', snapshot });
    writeFileSync(flags.out, html);
    const size = `${(Buffer.byteLength(html) / 1e6).toFixed(1)} MB`;
    process.stdout.write(
      `✔ Wrote ${flags.out} (${size}): ${formatCount(choices.length)} currencies, as of ${formatTime(new Date(asOfMs).toISOString())}.\n`,
    );
    return 0;
  }),
);
