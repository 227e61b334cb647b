import { Option } from 'commander';
import { CATEGORIES, type Category } from '../../core/market/series.ts';
import { hourOf, parseDuration } from '../../core/market/time.ts';
import type { BackfillOutput } from '../../core/operate/backfill/backfill.ts';
import type { PagesOutput } from '../../core/operate/backfill/page-through.ts';
import type { OperationEvent } from '../../core/operate/operation.ts';
import { formatCount } from '../../core/text/format.ts';
import { CANDLE_CATEGORIES, whyNoCandles } from '../../exchanges/http/candle-source.ts';
import { backfillPart, backfillRows } from '../../local/market-replay/backfill-rows.ts';
import { type CandleHistory, readCandleHistory } from '../../local/market-replay/history.ts';
import { createCommand, perform } from '../command.ts';
import {
  mergeSlices,
  progressBar,
  type RestartFlags,
  runOperation,
  withRestartOption,
} from '../operation.ts';
import { commaList, httpUrl, instant, parsed } from '../options.ts';
import { note, print } from '../print.ts';
import { type TargetFlags, withTarget, withTargetOptions } from '../targets/choose.ts';
import type { Target } from '../targets/target.ts';

interface BackfillFlags extends TargetFlags, RestartFlags {
  file?: string;
  step?: 'hourly' | 'daily';
  exchange: string;
  category: Category;
  symbols?: string[];
  from?: string;
  to?: string;
  sourceUrl?: string;
  json?: boolean;
}

const categoryLines = Object.entries(CANDLE_CATEGORIES).map(
  ([name, categories]) => `  ${name.padEnd(10)}  ${categories.join(', ')}`,
);

const help = `A file may list its rows in any order. start is ISO 8601 in UTC, prices are above 0. If a row is invalid, the error says
which line it is on, and nothing of the file is written.

Exit codes: 0 done, 2 failed (an option, a row of the file, the exchange, a store).

Spell symbols as the exchange's tickers do: BTCUSDT (bybit, binance), BTC-USDT or BTC-USDT-SWAP (okx), XXBTZUSD (kraken),
BTC-USD (coinbase). These have history:
${categoryLines.join('\n')}
  ccxt:<id>   whatever ccxt can fetch from that exchange
Kraken gives only its last 720 hours; a note says which of the requested hours are missing.

With --json: {read, candles, moves}: candles found, how many of them were new or changed, moves written. A fetch adds
{hours, notes}: hours requested, and what could not be had, if anything. All numbers are those of this run.

Examples:
  npm run backfill -- --exchange bybit --category linear --symbols BTCUSDT,ETHUSDT --from 2y
  npm run backfill -- --exchange bybit --category spot --symbols BTCUSDT --from 2024-01-01 --to 2025-01-01 --stage dev
  npm run backfill -- --exchange okx --category linear --symbols BTC-USDT-SWAP --from 90d
  npm run backfill -- --exchange ccxt:gate --category spot --symbols BTC_USDT --from 90d
  npm run backfill -- --file prices.csv.gz --exchange tiingo --category spot`;

const description =
  'Loads recorded candles, so that questions about the past have an answer on the first day: hourly ones fetched from an exchange, or hourly or daily ones from a file. The lake keeps them, too, and moves are made from them. Hours with at least two ticks, and half of the polls due, keep the candles made from ticks. Waits for a running summarise or rebuild. If a fetch is interrupted, run the same command again within a day: it resumes where it stopped.';

export const command = withTargetOptions(withRestartOption(createCommand('backfill', description, { help })))
  .requiredOption(
    '--exchange <name>',
    `whose prices they are; to fetch: ${Object.keys(CANDLE_CATEGORIES).join(', ')}, or ccxt:<id> for any other`,
  )
  .addOption(
    new Option('--category <name>', 'the market they are from').choices(CATEGORIES).makeOptionMandatory(),
  )
  .option('--symbols <list>', 'the symbols to fetch, separated by commas', commaList)
  .option('--from <time>', 'fetch from this time (UTC), or from so long ago, e.g. 90d or 2y', instantOrAgo)
  .option('--to <time>', 'fetch until this time (default: the start of the current hour)', instantOrAgo)
  .option('--source-url <url>', 'fetch from a server that speaks the exchange’s API', httpUrl)
  .addOption(
    new Option(
      '--file <path>',
      'read a CSV file (.gz: gzip): start,symbol,open,high,low,close,volume',
    ).conflicts(['symbols', 'from', 'to', 'sourceUrl']),
  )
  .addOption(
    new Option('--step <step>', 'the time that a row covers (default: detected)').choices([
      'hourly',
      'daily',
    ]),
  )
  .option('--json', 'print the result as one JSON object')
  .action(perform(backfill));

async function backfill(signal: AbortSignal, flags: BackfillFlags): Promise<number> {
  const { file, step, exchange, category, symbols, from, json } = flags;
  if (file === undefined && (symbols === undefined || from === undefined)) {
    command.error('error: give --symbols and --from to fetch candles, or --file to read them', {
      exitCode: 2,
    });
  }
  const refusal = file === undefined && !ccxtIdOf(exchange) && whyNoCandles(exchange, category);
  if (refusal) command.error(`error: ${refusal}`, { exitCode: 2 });
  // Reads the whole file first: nothing is written if it is invalid.
  const history =
    file === undefined ? undefined : await readCandleHistory(file, step && (step === 'daily' ? 24 : 1));
  const result = await withTarget(flags, ['openSearch', 's3'], signal, (target) =>
    history ? loadFile(target, flags, history, signal) : fetchCandles(target, flags, signal),
  );
  for (const text of result.notes ?? []) note(`! ${text}`);
  print(json ? JSON.stringify(result) : resultText(exchange, result));
  return 0;
}

function resultText(exchange: string, { read, candles, moves, hours }: BackfillOutput): string {
  const requested = hours === undefined ? '' : ` (of ${formatCount(hours)} hours)`;
  return `✔ ${formatCount(read)} candles of ${exchange} read${requested}, ${formatCount(candles)} of them new or changed; ${formatCount(moves)} moves written.`;
}

/** Whole hours, so that the same command in the same hour is the same work. */
function instantOrAgo(text: string): string {
  if (!/^\d+[a-z]$/i.test(text)) return instant(text);
  return new Date(hourOf(Date.now() - parsed(text, parseDuration))).toISOString();
}

/** The id in ccxt of an exchange that is to be fetched through it. */
function ccxtIdOf(exchange: string): string | undefined {
  return /^ccxt:([a-z0-9]{2,40})$/.exec(exchange)?.[1];
}

async function fetchCandles(
  target: Target,
  { exchange, category, symbols, from, to, sourceUrl, folder, restart }: BackfillFlags,
  signal: AbortSignal,
): Promise<BackfillOutput> {
  // The exchange lives in real time, whatever the replay's clock says.
  const closed = new Date(hourOf(Date.now())).toISOString();
  const wanted = {
    category,
    symbols,
    from,
    to: to === undefined || to > closed ? closed : to,
    baseUrl: sourceUrl,
  };
  const ccxtId = ccxtIdOf(exchange);
  const input = { exchange: ccxtId ?? exchange, ...wanted };
  // The range is part of what was asked for: the cursor counts pages of exactly this range.
  const options = { folder, signal, resume: { command: input, restart } };
  if (ccxtId !== undefined) return fetchThroughCcxt(target, input, options);
  return mergeSlices(
    await runOperation<BackfillOutput>(target, 'backfill', { kind: 'fetch', ...input }, options),
  );
}

/** One function fetches candles into the lake, slice by slice; after each slice `backfill` makes candles of it. */
async function fetchThroughCcxt(
  target: Target,
  input: object,
  options: Parameters<typeof runOperation>[3],
): Promise<BackfillOutput> {
  const { signal } = options;
  const written: BackfillOutput[] = [];
  await runOperation<PagesOutput>(target, 'backfill', input, {
    ...options,
    functionName: 'candles-ccxt',
    async onOutput({ objects, hours, notes }, isLast) {
      const part = { kind: 'lake' as const, objects, makeMoves: isLast };
      const done = await backfillPart(part, { invoke: invokeOperate(target), signal });
      written.push({ ...done, hours, ...(notes.length > 0 ? { notes } : {}) });
    },
  });
  return mergeSlices(written);
}

function invokeOperate(target: Target) {
  return (event: OperationEvent) => target.invoke('operate', { ...event, sliceMs: target.sliceMs });
}

async function loadFile(
  target: Target,
  { exchange, category }: BackfillFlags,
  { hours, rows }: CandleHistory,
  signal: AbortSignal,
): Promise<BackfillOutput> {
  const bar = progressBar('backfill');
  const onProgress = (done: number, total: number) => bar.show({ done, total, unit: 'candles' });
  try {
    const options = { invoke: invokeOperate(target), onProgress, signal };
    return await backfillRows({ exchange, category, hours, rows }, options);
  } finally {
    bar.stop();
  }
}
