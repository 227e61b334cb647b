import { Option } from 'commander';
import { CATEGORIES, tryParseSeries } from '../../core/market/series.ts';
import type { GapEntry, GapsOutput } from '../../core/operate/gaps/gaps.ts';
import { csvText } from '../../core/text/csv.ts';
import { counted, formatCount, formatTime } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { createCommand, perform } from '../command.ts';
import { mergeSlices, type OperationFlags, runOperation } from '../operation.ts';
import { duration, httpUrl, wholeNumber, withRangeOptions } from '../options.ts';
import { moreRows, note, print, problemLines } from '../print.ts';
import { withTarget, withTargetOptions } from '../targets/choose.ts';

interface GapsFlags extends OperationFlags {
  from?: string;
  to?: string;
  over?: string;
  exchange?: string;
  category?: string;
  symbol?: string;
  all?: boolean;
  repair?: boolean;
  requests?: number;
  sourceUrl?: string;
  csv?: boolean;
}

const ROWS_SHOWN = 40;

const help = `An hour of a series is partial if it has ticks of fewer than half of the due polls. Without any data it is "not listed" while
its market did not exist, "exchange down" if the exchange gave no prices in at least half of the due polls, and otherwise
"missing": before the first poll of its market, not polled, or polled without finding it.

--repair asks exchanges for their own candles of these hours, as "backfill" does: bybit, binance, okx, kraken, coinbase. The
lake keeps their answers, and what they do not have, so a second run requests nothing again. Each run has a name, which
"npm run backfill -- --undo NAME" undoes. For exchanges that are read through ccxt, use "npm run backfill".

Without --from, each series begins with its first hour with data. All times are of closed hours that are summarised.

Exit codes: 0 nothing is missing that could be repaired, 1 something is, 2 failed.

With --json: {series, present, partial, exchangeDown, notListed, missing, repairable, requests, candles, moves,
unavailable, run, problems: [text], entries: [{series, from, to, hours, state, origin, reason, asked}]}
  present … missing  hours in each state, of all series
  repairable      hours that an exchange's candles may fill
  requests, candles, moves, unavailable  of a repair: requests to exchanges, candles that are new or changed, moves
                  written, hours that the exchange has no candle of
  origin          where prices come from: ticks, exchange (its candles), file
  asked           the exchange was asked, and has no candle: it is not asked again

Examples:
  npm run gaps                                     everything
  npm run gaps -- --over 7d --exchange bybit
  npm run gaps -- --symbol bybit:linear:BTCUSDT --all --csv
  npm run gaps -- --over 7d --repair --stage prod`;

const description =
  'Lists the hours in which series have no data or too few ticks, and why. With --repair, fills those that an exchange’s own candles can fill.';

export const command = withTargetOptions(withRangeOptions(createCommand('gaps', description, { help })))
  .addOption(
    new Option('--over <duration>', 'only this long before the end: 24h, 7d …')
      .argParser(duration)
      .conflicts('from'),
  )
  .addOption(new Option('--category <name>', 'only this market').choices(CATEGORIES))
  .option('--symbol <name>', 'only this symbol, or this series (bybit:linear:BTCUSDT)')
  .option('--all', 'also hours with data, and those in which the market was not listed')
  .option('--repair', 'fill what exchanges’ own candles can fill')
  .addOption(
    new Option('--requests <n>', 'make at most this many requests to exchanges')
      .argParser(wholeNumber(1))
      .default(1_000),
  )
  .option('--source-url <url>', 'ask a server that speaks the exchange’s API; needs --exchange', httpUrl)
  .addOption(new Option('--json', 'print the result as one JSON object').conflicts('csv'))
  .option('--csv', 'print the entries as CSV')
  .action(perform(listGaps));

function listGaps(signal: AbortSignal, flags: GapsFlags): Promise<number> {
  const { folder, from, to, over, all, repair, requests, sourceUrl, json, csv } = flags;
  const input = { from, to, over, ...seriesOf(flags), all, repair, requests, baseUrl: sourceUrl };
  if (sourceUrl !== undefined && input.exchange === undefined) {
    return command.error('error: --source-url needs --exchange: a server speaks the API of one exchange', {
      exitCode: 2,
    });
  }
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  return withTarget(flags, ['openSearch', 's3'], signal, async (target) => {
    const slices = await runOperation<GapsOutput>(target, 'gaps', given, { folder, signal });
    const result = mergeSlices(slices);
    if (json) print(JSON.stringify(result));
    else if (csv) process.stdout.write(csvText(result.entries.map(csvRow)));
    else print(...lines(result, repair === true));
    if (csv) note(...problemLines(result.problems));
    return result.repairable === 0 && result.problems.length === 0 ? 0 : 1;
  });
}

/** A whole series names its market, too. */
function seriesOf({ exchange, category, symbol }: GapsFlags) {
  const whole = symbol === undefined ? undefined : tryParseSeries(symbol);
  return whole ?? { exchange, category, symbol };
}

function csvRow({ asked, ...entry }: GapEntry) {
  return { ...entry, asked: asked ? 'true' : undefined };
}

function lines(result: GapsOutput, isRepair: boolean): string[] {
  const { series, present, partial, exchangeDown, notListed, missing, entries, problems } = result;
  const rows = grouped(entries);
  return [
    `${counted(series, 'series', 'series')}: ${formatCount(present)} hours with data, ${formatCount(partial)} partial, ${formatCount(exchangeDown)} while the exchange was down, ${formatCount(missing)} missing, ${formatCount(notListed)} not listed.`,
    ...(rows.length > 0 ? [table(rows)] : []),
    ...moreRows(rows, ROWS_SHOWN),
    ...problemLines(problems),
    ...(isRepair ? repairLines(result) : []),
    adviceLine(result, isRepair),
  ];
}

/** An outage makes the same hole in every series of a market: one row. */
interface Row {
  of: string;
  entry: GapEntry;
}

function grouped(entries: readonly GapEntry[]): Row[] {
  const same = Map.groupBy(entries, (entry) => {
    const { series, from, to, state, origin, reason, asked } = entry;
    return JSON.stringify([marketOf(series), from, to, state, origin, reason, asked]);
  });
  return [...same.values()].map((of) => {
    const [entry] = of as [GapEntry];
    const market = `${marketOf(entry.series)}: ${counted(of.length, 'series', 'series')}`;
    return { of: of.length === 1 ? entry.series : market, entry };
  });
}

function marketOf(series: string): string {
  return series.split(':').slice(0, 2).join(':');
}

function table(rows: readonly Row[]): string {
  return textTable(
    ['series', 'from', 'to', 'hours', 'state', ''],
    rows
      .slice(0, ROWS_SHOWN)
      .map(({ of, entry }) => [
        of,
        formatTime(entry.from),
        formatTime(entry.to),
        formatCount(entry.hours),
        entry.state,
        [entry.reason, entry.origin, entry.asked && 'the exchange has no candles'].filter(Boolean).join(', '),
      ]),
    [0, 1, 2, 4, 5],
  );
}

function repairLines({ requests, candles, moves, unavailable, run }: GapsOutput): string[] {
  return [
    `${counted(requests, 'request')} to exchanges: ${counted(candles, 'candle')} new or changed, ${counted(moves, 'move')} written; the exchange has none for ${counted(unavailable, 'hour')}.`,
    ...(candles > 0 ? [`  To take it back: npm run backfill -- --undo ${run}`] : []),
  ];
}

function adviceLine({ repairable }: GapsOutput, isRepair: boolean): string {
  if (repairable === 0) return '✔ There is nothing that --repair could fill.';
  const hours = `${counted(repairable, 'hour')} could be filled from an exchange’s own candles`;
  return isRepair
    ? `${hours}: run it again to continue.`
    : `${hours}: "npm run gaps -- --repair" fills them.`;
}
