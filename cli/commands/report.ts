import { writeFileSync } from 'node:fs';
import { formatCount, formatTime } from '../../core/text/format.ts';
import type { ReportOutput } from '../../lambdas/insights/report.ts';
import { pageHtml } from '../../report/html.ts';
import type { Snapshot } from '../../report/protocol.ts';
import { createCommand, perform } from '../command.ts';
import { mergeSlices, runOperation } from '../operation.ts';
import { commaList, instant, wholeNumber } from '../options.ts';
import { note, print } from '../print.ts';
import { type TargetFlags, withTarget, withTargetOptions } from '../targets/choose.ts';
import type { Target } from '../targets/target.ts';

interface ReportFlags extends TargetFlags {
  out: string;
  at?: string;
  currencies: number;
  symbols?: string[];
}

const help = `Examples:
  npm run report                                    report.html, from the pipeline on this machine
  npm run report -- --out btc.html --symbols BTCUSD
  npm run report -- --symbols archive:spot:BTCUSD --at 2021-12-01
  npm run report -- --stage dev                     from a deployed stage
While "npm start" runs, it serves the same page live and prints the link.`;

const description =
  'Writes the report page as one HTML file that contains all charts and their data. It opens without a network.';

export const command = withTargetOptions(createCommand('report', description, { help }))
  .option('--out <file>', 'the file to write', 'report.html')
  .option('--currencies <n>', 'how many currencies to offer, by turnover in US dollars', wholeNumber(1), 8)
  .option('--symbols <list>', 'offer these instead, e.g. BTCUSDT,ETHUSDT or archive:spot:BTCUSD', commaList)
  .option('--at <time>', 'as of this time instead of now, UTC', instant)
  .action(
    perform(async (signal, flags: ReportFlags) => {
      const snapshot = await withTarget(flags, ['openSearch'], signal, (target) =>
        gather(target, flags, signal),
      );
      const { choices, asOfMs, origin } = snapshot;
      const asOf = formatTime(new Date(asOfMs).toISOString());
      if (choices.length === 0) {
        const what = flags.symbols ? ` for ${flags.symbols.join(', ')}` : '';
        note(`✖ There is no data${what} on ${origin} as of ${asOf}.`);
        return 1;
      }
      const html = await pageHtml({ kind: 'file', snapshot });
      writeFileSync(flags.out, html);
      const size = `${(Buffer.byteLength(html) / 1e6).toFixed(1)} MB`;
      print(`✔ Wrote ${flags.out} (${size}): ${formatCount(choices.length)} currencies, as of ${asOf}.`);
      return 0;
    }),
  );

async function gather(target: Target, flags: ReportFlags, signal: AbortSignal): Promise<Snapshot> {
  const { folder, currencies, symbols, at } = flags;
  const asOf = at ?? target.now.toISOString();
  const input = { asOf, currencies, ...(symbols ? { symbols } : {}) };
  const options = { folder, signal, functionName: 'insights' as const };
  const slices = await runOperation<ReportOutput>(target, 'report', input, options);
  const { choices = [], summaries, answers } = mergeSlices(slices);
  return {
    origin: target.title,
    asOfMs: Date.parse(asOf),
    choices,
    summaries: Object.fromEntries(summaries),
    answers: Object.fromEntries(answers),
  };
}
